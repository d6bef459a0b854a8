-- Decides about one key: rate (GCRA) and rolling quota, in one step.
--
-- KEYS[1]: the key's hash. Fields: d debt in units, u the microsecond that it is of, p and q the rate that it was counted with
-- (a permit costs q units, a microsecond pays p back), t the quota's count, o and l the oldest and newest bucket that may hold
-- some of it, and each bucket's count under its number.
-- ARGV: what to do (take, give, look), n, p (0: no rate), q, burst, quota (0: none), now in microseconds or '' for the server's clock.
--
-- Numbers here are doubles, exact to 2^53. Where a debt has more units than that, it is rounded up, so that a limit is never exceeded.

local BUCKET, DAY, EXACT, FAR = 300000000, 288, 2 ^ 52, 9000000000000000

local key, what = KEYS[1], ARGV[1]
local n, p, q = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local burst, quota = tonumber(ARGV[5]), tonumber(ARGV[6])
local now = tonumber(ARGV[7])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local function up(debt)
  if debt > EXACT then
    return debt * (1 + 2 ^ -50)
  end
  return debt
end

local function text(number)
  return string.format('%.0f', number)
end

local state = redis.call('HMGET', key, 'd', 'u', 'p', 'q', 't', 'o', 'l')
local debt, updated = tonumber(state[1]) or 0, tonumber(state[2]) or 0
local p0, q0 = tonumber(state[3]) or 0, tonumber(state[4]) or 1
local total, oldest, newest = tonumber(state[5]) or 0, tonumber(state[6]) or 0, tonumber(state[7]) or 0
local is_known = state[2]

-- Whoever has an earlier clock counts by the later one.
local at = math.max(now, updated)

-- What is owed at this moment, under the rate that it was owed under; then in the units of today's rate.
if p0 > 0 then
  debt = math.max(0, up(debt - (at - updated) * p0))
else
  debt = 0
end
if p == 0 then
  debt = 0
elseif debt > 0 and q0 ~= q then
  local whole = math.floor(debt / q0)
  debt = up(whole * q + math.ceil((debt - whole * q0) * q / q0))
end

-- The counts of buckets, in order, from one number to another.
local function counts(from, to)
  local names = {}
  for number = from, to do
    names[#names + 1] = text(number)
  end
  if #names == 0 then
    return names, names
  end
  return redis.call('HMGET', key, unpack(names)), names
end

-- Forget the buckets whose last moment is a day old.
local forgotten = false
local today = math.floor(at / BUCKET)
if quota > 0 and total > 0 and oldest + DAY < today then
  local last = math.min(newest, today - DAY - 1)
  local found, names = counts(oldest, last)
  for index = 1, #names do
    total = total - (tonumber(found[index]) or 0)
  end
  redis.call('HDEL', key, unpack(names))
  oldest = last + 1
  forgotten = true
end

-- When n more fit: as the wait, and as the debt then.
local function assess(wanted)
  local ready, after = at, debt
  if p > 0 then
    after = up(debt + wanted * q)
    if after > burst * q then
      ready = at + math.ceil((after - burst * q) / p)
    end
  end
  if quota > 0 and total + wanted > quota then
    local needed, freed = total + wanted - quota, 0
    local found, names = counts(oldest, newest)
    for index = 1, #names do
      if freed >= needed then
        break
      end
      freed = freed + (tonumber(found[index]) or 0)
      if found[index] then
        ready = math.max(ready, (tonumber(names[index]) + DAY + 1) * BUCKET)
      end
    end
  end
  if ready > at then
    return math.min(ready - now, FAR), after
  end
  return 0, after
end

-- When rate and quota are whole again.
local function whole()
  local full = at
  if p > 0 and debt > 0 then
    full = at + math.ceil(debt / p)
  end
  if quota > 0 and total > 0 then
    full = math.max(full, (newest + DAY + 1) * BUCKET)
  end
  return full
end

local function keep()
  redis.call('HSET', key, 'd', text(debt), 'u', text(at), 'p', text(p), 'q', text(q),
    't', text(total), 'o', text(oldest), 'l', text(newest))
  -- A server that took over may be behind the clock that the key is of.
  local rest = math.ceil((whole() - now) / 1000) + 1000
  if ARGV[7] ~= '' then
    -- The caller's clock may stand still while the server's goes on.
    rest = rest + 86400000
  end
  redis.call('PEXPIRE', key, text(math.min(rest, 4000000000000)))
end

if what == 'take' then
  local wait, after = assess(n)
  if wait == 0 then
    debt = after
    if quota > 0 then
      if total == 0 then
        oldest = today
      end
      total, newest = total + n, today
      redis.call('HINCRBY', key, text(today), n)
    end
    keep()
  elseif forgotten then
    redis.call('HSET', key, 't', text(total), 'o', text(oldest))
  end
  return wait
end

if what == 'give' then
  if is_known then
    debt = math.max(0, debt - n * q)
    local left = n
    if quota > 0 and total > 0 then
      local found, names = counts(oldest, newest)
      for index = 1, #names do
        local count = tonumber(found[index]) or 0
        local taken = math.min(left, count)
        if taken > 0 then
          left, total = left - taken, total - taken
          if taken == count then
            redis.call('HDEL', key, names[index])
          else
            redis.call('HINCRBY', key, names[index], -taken)
          end
        end
      end
    end
    keep()
  end
  return 0
end

if forgotten then
  redis.call('HSET', key, 't', text(total), 'o', text(oldest))
end
local rate_left = 0
if p > 0 then
  rate_left = math.max(0, math.floor((burst * q - debt) / q))
end
return { rate_left, math.max(0, quota - total), (assess(1)), math.min(whole() - now, FAR) }
