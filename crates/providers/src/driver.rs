//! The one driver of all adapters.

use std::borrow::Cow;
use std::collections::HashSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use futures_util::{StreamExt, stream};
use posthaste_address::{Address, Envelope, Mailbox};
use posthaste_mime::{Clock, IdSource, Message};
use posthaste_transport::{
    ContentReader, Disposition, ErrorKind, Fate, Feature, Outbound, Outcome, Plan, RateInfo, RecipientOutcome, Refusal,
    Retry, SendError, SendFuture, SendOptions, Shortfall, Timer, TokioTimer, Transport, TransportInfo, Unsupported,
    plan, within,
};
use serde_json::{Map, Value};
use tracing::{Instrument, debug, debug_span};

use crate::adapter::Context;
use crate::hex::hex;
use crate::receipt::classify;
use crate::submission::Copy;
use crate::{
    Adapter, Batch, BatchFuture, BatchOutcome, BatchTransport, Fault, HttpClient, HttpError, HttpRequest, HttpResponse,
    Personal, Progress, ProviderError, Receipt, Recipients, Submission, rate,
};

/// Longest that one request may take, unless it is set.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Requests of a batch that are under way at once, unless it is set.
pub(crate) const DEFAULT_PARALLEL: usize = 4;

/// Sends by the API of a provider: an [`Adapter`], and what all of them share.
///
/// It plans before any I/O, gives each request a deadline, keeps connections, reads no more than 1 MiB of an answer, takes
/// `Retry-After` for what it is, and says of everything that goes wrong whether the message may have been accepted: a peer
/// that was not reached has not accepted it; one that fell silent after the first byte may have.
///
/// It repeats nothing. Wrap it in [`Retry`](posthaste_transport::layers::Retry) for that.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn provider() -> Result<(), Box<dyn std::error::Error>> {
/// use posthaste_providers::{Provider, SendGrid};
/// use posthaste_transport::Transport;
///
/// let provider = Provider::new(SendGrid::new("SG.key")?)?;
/// assert_eq!(provider.info().name(), "sendgrid");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Provider<A> {
    adapter: Arc<A>,
    client: Arc<dyn HttpClient>,
    timer: Arc<dyn Timer>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    timeout: Duration,
    parallel: usize,
    extra: Arc<Map<String, Value>>,
}

/// What came of one request.
type Answer = Result<Answered, SendError>;

/// A receipt, the request's id, and what is left of a limit on calls.
struct Answered {
    receipt: Receipt,
    request_id: Option<String>,
    rate: Option<RateInfo>,
}

/// One call of a batch; no answer if it was not made.
type CallFuture<'a> = Pin<Box<dyn Future<Output = (Submission<'a>, Option<Answer>)> + Send + 'a>>;

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// 128 bits of the operating system's randomness.
#[derive(Debug)]
struct SystemIds;

impl IdSource for SystemIds {
    fn next_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        // It fails only where the operating system has no randomness; then nothing that is encrypted works either.
        let _ = aws_lc_rs::rand::fill(&mut id);
        id
    }
}

impl<A: Adapter> Provider<A> {
    /// Drives `adapter` with a client of its own.
    ///
    /// # Errors
    ///
    /// [`ClientError`](crate::ClientError) as [`ReqwestClient::new`](crate::ReqwestClient::new).
    #[cfg(feature = "client")]
    #[cfg_attr(docsrs, doc(cfg(feature = "client")))]
    pub fn new(adapter: A) -> Result<Self, crate::ClientError> {
        Ok(Self::with_client(adapter, crate::ReqwestClient::new()?))
    }

    /// Drives `adapter` with `client`, which several may share.
    pub fn with_client(adapter: A, client: impl HttpClient) -> Self {
        Self {
            adapter: Arc::new(adapter),
            client: Arc::new(client),
            timer: Arc::new(TokioTimer::new()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            timeout: DEFAULT_TIMEOUT,
            parallel: DEFAULT_PARALLEL,
            extra: Arc::new(Map::new()),
        }
    }

    /// Sets how long one request may take, 30 seconds unless it is set. A deadline in the options may be sooner.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many requests of a batch may be under way at once, 4 unless it is set; at least 1.
    #[must_use]
    pub fn with_parallel(mut self, requests: usize) -> Self {
        self.parallel = requests.max(1);
        self
    }

    /// Sets members that are put over the JSON of every request, for what a provider can do and nobody has a name for
    /// here. Objects are merged, all else is replaced. Providers that take forms take the members as fields.
    #[must_use]
    pub fn with_extra(mut self, extra: Map<String, Value>) -> Self {
        self.extra = Arc::new(extra);
        self
    }

    /// Sets what tells monotonic time and waits.
    #[must_use]
    pub fn with_timer(mut self, timer: impl Timer) -> Self {
        self.timer = Arc::new(timer);
        self
    }

    /// Sets where the boundaries of forms come from.
    #[must_use]
    pub fn with_id_source(mut self, ids: impl IdSource) -> Self {
        self.ids = Arc::new(ids);
        self
    }

    /// Sets what tells the time of day, for signatures and dates.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Returns the adapter.
    #[must_use]
    pub fn adapter(&self) -> &A {
        &self.adapter
    }

    async fn send_many(&self, batch: &Batch, options: &SendOptions) -> Result<BatchOutcome, SendError> {
        let began = self.timer.now();
        let plan = self.plan_batch(batch, options)?;
        let now = self.clock.now();
        let mut chunks: Vec<Submission<'_>> = match batch.recipients() {
            Recipients::Shared => {
                let copy = Copy::of_headers(batch.message());
                vec![self.submission(batch, options, &plan, vec![copy], false, now)]
            }
            Recipients::Individual(everybody) => calls(everybody, self.chunk(batch))
                .into_iter()
                .map(|chunk| {
                    let copies = chunk
                        .iter()
                        .map(|personal| Copy::of_personal(batch.message(), personal));
                    self.submission(batch, options, &plan, copies.collect(), true, now)
                })
                .collect(),
        };
        if chunks.len() > 1 {
            for submission in &mut chunks {
                submission.part = Some(part(submission));
            }
        }
        // All are encoded before the first goes out: so what is wrong with one is known before anybody got anything.
        let mut calls = Vec::with_capacity(chunks.len());
        for submission in &mut chunks {
            self.check_fields(submission).map_err(|error| self.named(error))?;
            if self.adapter.profile().needs_to() {
                submission.promote().map_err(|error| self.named(error))?;
            }
        }
        for submission in chunks {
            let request = self.adapter.encode(&submission).map_err(|error| self.named(error))?;
            calls.push((submission, request));
        }

        // Once it is known that calls fail, no other begins; those under way are waited for.
        let stopped: OnceLock<Refusal> = OnceLock::new();
        let mut waiting = Vec::with_capacity(calls.len());
        for (submission, request) in calls {
            waiting.push(self.call(submission, request, options.deadline(), began, &stopped));
        }
        let mut answers = stream::iter(waiting).buffered(self.parallel);
        let (mut recipients, mut failures, mut made) = (Vec::new(), Vec::new(), 0_u32);
        let mut rate = None;
        while let Some((submission, answer)) = answers.next().await {
            match answer {
                Some(Ok(answered)) => {
                    rate = rate::tighter(rate, answered.rate);
                    recipients.extend(outcomes(&submission, &answered.receipt));
                }
                Some(Err(error)) => {
                    recipients.extend(failed(&submission, &error));
                    rate = rate::tighter(rate, rate::of_error(&error));
                    failures.push(error);
                }
                None => {
                    let refusal = stopped.get().cloned().unwrap_or_else(Refusal::transient);
                    recipients.extend(all_are(&submission, &Fate::Refused(refusal)));
                    continue;
                }
            }
            made = made.saturating_add(1);
        }
        drop(answers);
        Ok(BatchOutcome {
            recipients,
            failures,
            calls: made,
            rate,
        })
    }

    /// Makes one call of a batch, unless it is known by then that it would fail.
    fn call<'a>(
        &'a self,
        submission: Submission<'a>,
        request: HttpRequest,
        deadline: Option<Duration>,
        began: Duration,
        stopped: &'a OnceLock<Refusal>,
    ) -> CallFuture<'a> {
        Box::pin(async move {
            if stopped.get().is_some() {
                return (submission, None);
            }
            let left = deadline.map(|deadline| deadline.saturating_sub(self.timer.now().saturating_sub(began)));
            let answer = self.exchange(&submission, request, left).await;
            if let Err(error) = &answer
                && matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Throttled)
            {
                // The first reason is as good as the next.
                let _ = stopped.set(refusal(error));
            }
            (submission, Some(answer))
        })
    }

    fn submission<'a>(
        &'a self,
        batch: &'a Batch,
        options: &'a SendOptions,
        plan: &'a Plan,
        copies: Vec<Copy<'a>>,
        individual: bool,
        now: SystemTime,
    ) -> Submission<'a> {
        Submission {
            message: Some(batch.message()),
            raw: None,
            mail_from: None,
            template: batch.template(),
            data: Some(batch.data()),
            individual,
            copies,
            options,
            plan,
            extra: &self.extra,
            now,
            part: None,
            boundary: self.boundary(),
        }
    }

    /// 128 random bits, in letters and digits.
    fn boundary(&self) -> String {
        hex(&self.ids.next_id())
    }

    /// How many recipients one call of a batch may hold.
    fn chunk(&self, batch: &Batch) -> usize {
        let profile = self.adapter.profile();
        let many = profile.info().capabilities().max_batch().unwrap_or(1);
        let by_size = profile.max_request_size().map(|most| {
            // Each copy is a message of its own there; a third more for base64 and names.
            let each = batch.message().encoded_len().saturating_mul(4) / 3;
            most / each.max(1)
        });
        let chunk = by_size.map_or(u64::from(many), |by_size| by_size.min(u64::from(many)));
        usize::try_from(chunk).unwrap_or(usize::MAX).max(1)
    }

    /// Plans a batch: as one message to its first recipient, and what only batches have.
    fn plan_batch(&self, batch: &Batch, options: &SendOptions) -> Result<Plan, SendError> {
        let info = self.info();
        let message = batch.message();
        let mail_from = message.sender().or(message.from().first());
        let recipients: Vec<Mailbox> = match batch.recipients() {
            Recipients::Shared => message.recipients().cloned().collect(),
            Recipients::Individual(everybody) => {
                if !message.to().is_empty() {
                    return Err(self.wrong("reading a batch, whose message must have no To beside its recipients"));
                }
                let first = everybody
                    .first()
                    .ok_or_else(|| self.wrong("reading a batch without recipients"))?;
                std::iter::once(first.mailbox().clone())
                    .chain(message.recipients().cloned())
                    .collect()
            }
        };
        let addresses = recipients.iter().map(|mailbox| mailbox.address().clone());
        let envelope = Envelope::new(mail_from.map(|mailbox| mailbox.address().clone()), addresses)
            .map_err(|error| self.named(error.into()))?;
        let representative = Outbound::with_envelope(message.clone(), envelope);
        // Recipients that are said apart from the message are no other envelope.
        let apart = info
            .capabilities()
            .with(Feature::EnvelopeSender)
            .with(Feature::EnvelopeRecipients);
        let found = plan(&representative, options, &info.clone().with_capabilities(apart))?;
        let mut missing = Vec::new();
        let capabilities = info.capabilities();
        let mut need = |feature: Feature, needed: bool| {
            if needed && !capabilities.supports(feature) {
                missing.push(Unsupported::new(feature, Shortfall::Missing));
            }
        };
        let everybody: &[Personal] = match batch.recipients() {
            Recipients::Individual(everybody) => everybody,
            Recipients::Shared => &[],
        };
        need(Feature::StoredTemplate, batch.template().is_some());
        let has_data = !batch.data().is_empty() || everybody.iter().any(|personal| !personal.data().is_empty());
        need(Feature::PersonalData, has_data);
        need(
            Feature::PersonalMetadata,
            everybody.iter().any(|personal| personal.metadata().len() > 0),
        );
        need(
            Feature::PersonalHeaders,
            everybody.iter().any(|personal| !personal.headers().is_empty()),
        );
        need(
            Feature::SmtpUtf8,
            everybody
                .iter()
                .any(|personal| personal.mailbox().address().needs_smtputf8()),
        );
        if !missing.is_empty() {
            return Err(self.named(SendError::unsupported_features(missing)));
        }
        self.check_schedule(options)?;
        Ok(found)
    }

    fn check_schedule(&self, options: &SendOptions) -> Result<(), SendError> {
        let info = self.adapter.profile().info();
        let (Some(schedule), Some(most)) = (options.schedule(), info.capabilities().max_schedule()) else {
            return Ok(());
        };
        match schedule.duration_since(self.clock.now()) {
            Ok(ahead) if ahead > most => {
                let seconds = Shortfall::TooMany {
                    asked: ahead.as_secs(),
                    at_most: most.as_secs(),
                };
                Err(self.named(SendError::unsupported_features(vec![Unsupported::new(
                    Feature::Schedule,
                    seconds,
                )])))
            }
            _ => Ok(()),
        }
    }

    /// What stands in fields must be able to say who sends it, and to whom.
    fn check_fields(&self, submission: &Submission<'_>) -> Result<(), SendError> {
        if submission.raw.is_some() {
            return Ok(());
        }
        let no_sender = !self
            .adapter
            .profile()
            .info()
            .capabilities()
            .supports(Feature::EnvelopeSender);
        let differs = submission.message.and_then(|message| {
            let author = message.from().first()?;
            message.sender().filter(|sender| sender.address() != author.address())
        });
        if no_sender && differs.is_some() {
            return Err(submission.refuse(Feature::EnvelopeSender, Shortfall::Missing));
        }
        Ok(())
    }

    async fn send_one(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let found = plan(mail, options, &self.info())?;
        self.check_schedule(options)?;
        let mut submission =
            Submission::of_outbound(mail, options, &found, &self.extra, self.clock.now(), self.boundary());
        self.check_fields(&submission).map_err(|error| self.named(error))?;
        if self.adapter.profile().needs_to() && submission.raw.is_none() {
            submission.promote().map_err(|error| self.named(error))?;
        }
        let request = self.adapter.encode(&submission).map_err(|error| self.named(error))?;
        let Answered {
            receipt,
            request_id,
            rate,
        } = self.exchange(&submission, request, options.deadline()).await?;

        let copy = receipt.copy(0);
        let recipients = mail.envelope().recipients().iter().map(|recipient| {
            let address = recipient.address();
            let (fate, id) = copy.map_or((Fate::Unknown, None), |copy| copy.of(address));
            let outcome = RecipientOutcome::new(address.clone(), fate);
            match id {
                Some(id) => outcome.with_provider_id(id),
                None => outcome,
            }
        });
        let mut outcome = Outcome::new(recipients);
        if let Some(id) = copy.and_then(|copy| copy.id()) {
            outcome = outcome.with_provider_id(id);
        }
        if let Some(id) = mail.message_id() {
            outcome = outcome.with_message_id(id);
        }
        if let Some(id) = request_id {
            outcome = outcome.with_request_id(id);
        }
        if let Some(rate) = rate {
            outcome = outcome.with_rate(rate);
        }
        outcome.settle(self.info().name().to_owned())
    }

    /// Sends one request, and reads its answer.
    async fn exchange(&self, submission: &Submission<'_>, request: HttpRequest, left: Option<Duration>) -> Answer {
        let profile = self.adapter.profile();
        let name = self.info().name().to_owned();
        let span = debug_span!("posthaste.provider", provider = %name, copies = submission.copies.len());
        let under_way: Mutex<Option<Progress>> = Mutex::new(None);
        let noted = || under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let work = async {
            ContentReader::probe(request.body()).await.map_err(|error| {
                SendError::new(ErrorKind::Unreadable, Disposition::NotAccepted)
                    .with_detail("reading the message")
                    .with_source(error)
            })?;
            // A batch may take longer than a signature is good for.
            let context = Context::new(&*self.client, self.clock.now());
            let mut request = self.adapter.authorize(request, &context).await?;
            let mut renewed = false;
            loop {
                if let Some(part) = request.malformed() {
                    return Err(not_written(HttpError::malformed(part)));
                }
                // A request may have been made anew to be signed; what counts is how far this one gets.
                let progress = request.progress().clone();
                *noted() = Some(progress.clone());
                let sent = request.anew();
                let response = self
                    .client
                    .execute(request)
                    .await
                    .map_err(|error| broken(error, &progress))?;
                // Who is not believed has sent nothing.
                if renewed || !matches!(response.status(), 401 | 403) || self.adapter.settles(&response) {
                    return Ok(response);
                }
                *noted() = None;
                renewed = true;
                match self.adapter.reauthorize(sent, &response, &context) {
                    Some(again) => request = again.await?,
                    None => return Ok(response),
                }
            }
        };
        let limit = left.map_or(self.timeout, |left| left.min(self.timeout));
        let answer = within(&*self.timer, Some(limit), work.instrument(span.clone())).await;
        let response = match answer {
            Some(Ok(response)) => response,
            Some(Err(error)) => {
                span.in_scope(|| debug!(kind = %error.kind(), disposition = ?error.disposition(), "no answer"));
                return Err(self.named(error));
            }
            None => {
                let begun = noted().as_ref().is_some_and(Progress::has_begun);
                span.in_scope(|| debug!(begun, "timed out"));
                let disposition = if begun {
                    Disposition::Ambiguous
                } else {
                    Disposition::NotAccepted
                };
                return Err(SendError::new(ErrorKind::Timeout, disposition)
                    .with_detail(if begun { "waiting for the answer" } else { "connecting" })
                    .with_transport(name));
            }
        };
        let request_id = profile
            .request_id_headers()
            .iter()
            .find_map(|header| response.header(header))
            .map(str::to_owned);
        let now = self.clock.now();
        let rate = self.adapter.rate(&response, now);
        span.in_scope(|| debug!(status = response.status(), request_id, "answered"));
        let read = if self.adapter.settles(&response) {
            self.adapter.decode(submission, &response)
        } else {
            Err(self.adapter.fault(&response))
        };
        match read {
            Ok(receipt) => Ok(Answered {
                receipt,
                request_id,
                rate,
            }),
            Err(fault) => Err(self.named(fault_error(fault, &response, request_id.as_deref(), rate, now))),
        }
    }

    fn named(&self, error: SendError) -> SendError {
        error.with_transport(self.info().name().to_owned())
    }

    fn wrong(&self, detail: impl Into<Cow<'static, str>>) -> SendError {
        self.named(SendError::new(ErrorKind::Invalid, Disposition::NotAccepted).with_detail(detail))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<A: Adapter> Transport for Provider<A> {
    fn info(&self) -> TransportInfo {
        self.adapter.profile().info().clone()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.send_one(mail, options))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<A: Adapter> BatchTransport for Provider<A> {
    fn send_batch<'a>(&'a self, batch: &'a Batch, options: &'a SendOptions) -> BatchFuture<'a> {
        Box::pin(self.send_many(batch, options))
    }
}

/// What an exchange that broke off says about acceptance.
fn broken(error: HttpError, progress: &Progress) -> SendError {
    if error.malformed_part().is_some() {
        return not_written(error);
    }
    let (kind, disposition) = match (error.is_unreadable(), progress.has_begun()) {
        // Its length was announced, so a peer that has less has no request.
        (true, _) => (ErrorKind::Unreadable, Disposition::NotAccepted),
        (false, false) => (ErrorKind::Unavailable, Disposition::NotAccepted),
        (false, true) => (ErrorKind::Unavailable, Disposition::Ambiguous),
    };
    SendError::new(kind, disposition)
        .with_detail(match progress.has_begun() {
            true => "waiting for the answer",
            false => "connecting",
        })
        .with_source(error)
}

/// A request that HTTP cannot carry, by the part that is wrong.
fn not_written(error: HttpError) -> SendError {
    let part = error.malformed_part().unwrap_or_default();
    let detail = format!("writing the request: {part}");
    SendError::new(ErrorKind::Invalid, Disposition::NotAccepted)
        .with_detail(detail)
        .with_source(error)
}

fn fault_error(
    fault: Fault,
    response: &HttpResponse,
    request_id: Option<&str>,
    rate: Option<RateInfo>,
    now: SystemTime,
) -> SendError {
    let retry_after = response.retry_after(now);
    let (kind, disposition) = classify(response.status(), retry_after.is_some());
    let mut error = SendError::new(fault.kind.unwrap_or(kind), fault.disposition.unwrap_or(disposition)).with_source(
        ProviderError::new(
            response.status(),
            fault.code.as_deref(),
            fault.message.as_deref(),
            request_id,
        )
        .with_rate(rate),
    );
    if response.is_success() {
        error = error.with_detail("reading the answer");
    }
    if let Some(code) = fault.code {
        error = error.with_code(code);
    }
    match retry_after {
        Some(delay) => error.with_retry_after(delay),
        None => error,
    }
}

/// One outcome for each copy: its own recipient's.
fn outcomes(submission: &Submission<'_>, receipt: &Receipt) -> Vec<RecipientOutcome> {
    let mut all = Vec::with_capacity(submission.copies.len());
    for (index, copy) in submission.copies.iter().enumerate() {
        let said = receipt.copy(index);
        for mailbox in addressees(submission, copy) {
            let address = mailbox.address();
            let (fate, own) = said.map_or((Fate::Unknown, None), |said| said.of(address));
            let outcome = RecipientOutcome::new(address.clone(), fate);
            all.push(match own.or(said.and_then(|said| said.id())) {
                Some(id) => outcome.with_provider_id(id),
                None => outcome,
            });
        }
    }
    all
}

/// The recipients that an outcome is given for: the one of a personal copy, everybody of a shared message.
fn addressees<'c>(submission: &Submission<'_>, copy: &'c Copy<'_>) -> Vec<&'c Mailbox> {
    if submission.individual {
        copy.to().collect()
    } else {
        copy.everybody().collect()
    }
}

fn failed(submission: &Submission<'_>, error: &SendError) -> Vec<RecipientOutcome> {
    let fate = if error.disposition() == Disposition::NotAccepted {
        Fate::Refused(refusal(error))
    } else {
        Fate::Unknown
    };
    all_are(submission, &fate)
}

/// Cuts a list into calls of at most so many people each, none with an address twice: where data goes by address, the last would
/// get those of all.
fn calls(everybody: &[Personal], at_most: usize) -> Vec<&[Personal]> {
    let mut calls = Vec::new();
    let (mut rest, mut seen) = (everybody, HashSet::new());
    while !rest.is_empty() {
        let is_new = |personal: &&Personal| seen.insert(personal.mailbox().address().to_string().to_lowercase());
        let count = rest.iter().take(at_most.max(1)).take_while(is_new).count();
        let (call, behind) = rest.split_at(count.max(1));
        calls.push(call);
        rest = behind;
        seen.clear();
    }
    calls
}

/// Names a call of a batch by who is in it: so the key of a call that is made again is the same, and that of one to others is not.
fn part(submission: &Submission<'_>) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for copy in &submission.copies {
        for mailbox in copy.everybody() {
            hash.update(mailbox.address().to_string().as_bytes());
            hash.update(b"\n");
        }
        hash.update(b"\n");
    }
    hex(hash.finish().as_ref().get(..8).unwrap_or_default())
}

fn all_are(submission: &Submission<'_>, fate: &Fate) -> Vec<RecipientOutcome> {
    submission
        .copies
        .iter()
        .flat_map(|copy| addressees(submission, copy))
        .map(|mailbox| RecipientOutcome::new(mailbox.address().clone(), fate.clone()))
        .collect()
}

fn refusal(error: &SendError) -> Refusal {
    // Whom the provider does not believe is no fault of those who were to get the mail.
    let refusal = if error.retry() == Retry::Never && error.kind() != ErrorKind::Unauthorized {
        Refusal::permanent()
    } else {
        Refusal::transient()
    };
    match error.code() {
        Some(code) => refusal.with_code(code),
        None => refusal,
    }
}

impl<'a> Copy<'a> {
    fn of_headers(message: &'a Message) -> Self {
        let borrowed = |addresses: &'a [Address]| {
            addresses
                .iter()
                .flat_map(Address::mailboxes)
                .map(Cow::Borrowed)
                .collect()
        };
        Self {
            to: borrowed(message.to()),
            cc: borrowed(message.cc()),
            bcc: message.bcc().iter().map(Cow::Borrowed).collect(),
            personal: None,
        }
    }
}

impl Submission<'_> {
    /// Gives a message without primary recipients one, where the provider needs it: a copy's recipient, whom everybody sees
    /// anyway, or the only blind one. Two blind ones would see each other.
    fn promote(&mut self) -> Result<(), SendError> {
        let Some(copy) = self.copies.first_mut().filter(|copy| copy.to.is_empty()) else {
            return Ok(());
        };
        if !copy.cc.is_empty() {
            copy.to.push(copy.cc.remove(0));
        } else if copy.bcc.len() == 1 {
            copy.to.append(&mut copy.bcc);
        } else {
            return Err(self
                .refuse(Feature::EnvelopeRecipients, Shortfall::Missing)
                .with_detail("looking for a primary recipient among blind copies"));
        }
        Ok(())
    }
}
