-- State of keys that are not at their full allowance.
--
-- A permit costs `period` units of debt, and every microsecond pays `permits` of them back. Moments are microseconds since 1970, or by the
-- clock that the callers brought. `oldest` and `newest` are the first and last bucket of five minutes that may count.
CREATE TABLE posthaste_limit_state (
    key text COLLATE "C" PRIMARY KEY,
    debt numeric NOT NULL,
    updated bigint NOT NULL,
    permits numeric NOT NULL,
    period numeric NOT NULL,
    total bigint NOT NULL,
    oldest bigint NOT NULL,
    newest bigint NOT NULL,
    whole bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE posthaste_limit_bucket (
    key text COLLATE "C" NOT NULL REFERENCES posthaste_limit_state ON DELETE CASCADE,
    number bigint NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (key, number)
) WITH (fillfactor = 50);

-- Decides about one key: rate (GCRA) and rolling quota, in one step. The row's lock makes others wait until the transaction ends.
--
-- `what` is take, give or look; `p` is 0 without a rate, `quota` 0 without a quota; `at_given` is NULL for the server's clock.
-- take returns the wait; look returns what rate and quota have left, the wait for one, and that for all.
CREATE FUNCTION posthaste_limit_1(
    what text, wanted text, n bigint, p numeric, q numeric, burst numeric, quota bigint, at_given bigint
) RETURNS bigint[] LANGUAGE plpgsql AS $function$
<<local>>
DECLARE
    bucket CONSTANT bigint := 300000000;
    day CONSTANT bigint := 288;
    far CONSTANT numeric := 9000000000000000;
    state posthaste_limit_state;
    now_is bigint;
    moment bigint;
    today bigint;
    debt numeric := 0;
    total bigint := 0;
    oldest bigint := 0;
    newest bigint := 0;
    is_known boolean;
    asked bigint := CASE what WHEN 'take' THEN n ELSE 1 END;
    after_it numeric;
    ready numeric;
    needed bigint;
    whole numeric;
    rest bigint := n;
    taken bigint;
    held record;
BEGIN
    -- A crash of the server may forget the last moments; nobody waits for the disk.
    PERFORM set_config('synchronous_commit', 'off', true);
    LOOP
        IF what = 'look' THEN
            SELECT * INTO state FROM posthaste_limit_state WHERE key = wanted;
        ELSE
            SELECT * INTO state FROM posthaste_limit_state WHERE key = wanted FOR UPDATE;
        END IF;
        is_known := FOUND;
        EXIT WHEN is_known OR what <> 'take';
        INSERT INTO posthaste_limit_state VALUES (wanted, 0, 0, 0, 1, 0, 0, 0, 0) ON CONFLICT DO NOTHING;
    END LOOP;
    -- Behind the lock: the wait for it has passed too.
    now_is := coalesce(at_given, floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
    moment := now_is;
    IF is_known THEN
        moment := greatest(now_is, state.updated);
        total := state.total;
        oldest := state.oldest;
        newest := state.newest;
        IF state.permits > 0 AND p > 0 THEN
            debt := greatest(0, state.debt - (moment - state.updated) * state.permits);
            IF debt > 0 AND state.period <> q THEN
                debt := ceil(debt * q / state.period);
            END IF;
        END IF;
    END IF;
    today := moment / bucket;

    -- Forget the buckets whose last moment is a day old.
    IF quota > 0 AND total > 0 AND oldest + day < today THEN
        IF what = 'look' THEN
            SELECT coalesce(sum(b.count), 0) INTO total FROM posthaste_limit_bucket b
                WHERE b.key = wanted AND b.number >= today - day;
        ELSE
            DELETE FROM posthaste_limit_bucket b WHERE b.key = wanted AND b.number < today - day;
            SELECT coalesce(sum(b.count), 0) INTO total FROM posthaste_limit_bucket b WHERE b.key = wanted;
        END IF;
        oldest := today - day;
    END IF;

    IF what = 'give' THEN
        IF NOT is_known THEN
            RETURN ARRAY[0];
        END IF;
        debt := greatest(0, debt - n * q);
        IF quota > 0 THEN
            FOR held IN SELECT b.number, b.count FROM posthaste_limit_bucket b WHERE b.key = wanted ORDER BY b.number
            LOOP
                EXIT WHEN rest = 0;
                taken := least(rest, held.count);
                rest := rest - taken;
                total := total - taken;
                IF taken = held.count THEN
                    DELETE FROM posthaste_limit_bucket b WHERE b.key = wanted AND b.number = held.number;
                ELSE
                    UPDATE posthaste_limit_bucket b SET count = b.count - taken
                        WHERE b.key = wanted AND b.number = held.number;
                END IF;
            END LOOP;
        END IF;
    ELSE
        ready := moment;
        after_it := debt;
        IF p > 0 THEN
            after_it := debt + asked * q;
            IF after_it > burst * q THEN
                ready := moment + ceil((after_it - burst * q) / p);
            END IF;
        END IF;
        IF quota > 0 AND total + asked > quota THEN
            needed := total + asked - quota;
            FOR held IN SELECT b.number, b.count FROM posthaste_limit_bucket b
                WHERE b.key = wanted AND b.number >= oldest ORDER BY b.number
            LOOP
                EXIT WHEN needed <= 0;
                needed := needed - held.count;
                ready := greatest(ready, (held.number + day + 1) * bucket);
            END LOOP;
        END IF;
        IF what = 'take' THEN
            IF ready > moment THEN
                -- What was forgotten stays forgotten; nothing else has changed.
                IF total <> state.total THEN
                    UPDATE posthaste_limit_state s SET total = local.total, oldest = local.oldest
                        WHERE s.key = wanted;
                END IF;
                RETURN ARRAY[least(ready - now_is, far)::bigint];
            END IF;
            debt := after_it;
            IF quota > 0 THEN
                IF total = 0 THEN
                    oldest := today;
                END IF;
                total := total + n;
                newest := today;
                INSERT INTO posthaste_limit_bucket AS b VALUES (wanted, today, n)
                    ON CONFLICT (key, number) DO UPDATE SET count = b.count + excluded.count;
            END IF;
        END IF;
    END IF;

    whole := moment;
    IF p > 0 THEN
        whole := moment + ceil(debt / p);
    END IF;
    IF quota > 0 AND total > 0 THEN
        whole := greatest(whole, (newest + day + 1) * bucket);
    END IF;
    IF what = 'look' THEN
        RETURN ARRAY[
            CASE WHEN p > 0 THEN greatest(0, floor((burst * q - debt) / q)) ELSE 0 END,
            greatest(0, quota - total),
            least(ready - now_is, far),
            least(whole - now_is, far)
        ]::bigint[];
    END IF;
    UPDATE posthaste_limit_state s SET
        debt = local.debt,
        updated = moment,
        permits = p,
        period = q,
        total = local.total,
        oldest = local.oldest,
        newest = local.newest,
        whole = least(local.whole, far + moment)::bigint
        WHERE s.key = wanted;
    RETURN ARRAY[0];
END
$function$;
