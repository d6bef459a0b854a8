//! The keys that requests to Amazon are signed with, and where they come from.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use posthaste_transport::{Disposition, ErrorKind, SendError};
use serde_json::Value;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::{Context, HttpRequest, Method, Secret, SecretError, moment};

/// Keys are asked for again when they are good for no longer than this.
const EARLY: Duration = Duration::from_mins(5);

/// Keys that are good for a while, and that expire when nobody says.
const UNSAID: Duration = Duration::from_mins(15);

/// An access key id, its secret, and a session token if they are temporary.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsKeys {
    id: String,
    secret: Secret,
    session_token: Option<Secret>,
}

impl AwsKeys {
    /// Takes an access key id and its secret.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if one cannot stand in a header field.
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            id: Secret::new(id)?.expose().to_owned(),
            secret: Secret::new(secret)?,
            session_token: None,
        })
    }

    /// Sets the token of temporary keys.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it cannot stand in a header field.
    pub fn with_session_token(mut self, token: impl Into<String>) -> Result<Self, SecretError> {
        self.session_token = Some(Secret::new(token)?);
        Ok(self)
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn secret(&self) -> &str {
        self.secret.expose()
    }

    pub(super) fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(Secret::expose)
    }
}

impl fmt::Debug for AwsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsKeys (secret)")
    }
}

/// Where the keys come from that requests to Amazon are signed with.
///
/// Keys that expire are asked for again five minutes before they do. Clones share what was fetched.
#[derive(Clone)]
pub struct AwsCredentials {
    source: Source,
    kept: Arc<Mutex<Option<(AwsKeys, SystemTime)>>>,
}

#[derive(Clone)]
enum Source {
    Keys(AwsKeys),
    Found(Surroundings),
}

/// What a program finds around it.
#[derive(Clone)]
struct Surroundings {
    variables: BTreeMap<String, String>,
    profile_files: Vec<PathBuf>,
    profile: Option<String>,
    /// Whether the caller named it, and no variable.
    is_chosen: bool,
    instance: String,
}

/// The variables that are looked at.
const VARIABLES: [&str; 11] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "HOME",
];

/// Why there are no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// There are none: neither in variables, nor in the profile file, nor at a metadata endpoint.
    #[error("neither the environment, the profile file nor a metadata endpoint has any")]
    None,
    /// A key holds a character that cannot stand in a header field.
    #[error("a key holds a character that cannot stand in a header field")]
    Character,
    /// A metadata endpoint refused.
    #[error("the metadata endpoint answered {0}")]
    Status(u16),
    /// A metadata endpoint gave something that is no set of keys.
    #[error("what the metadata endpoint answered holds no keys")]
    Answer,
    /// The container's endpoint is neither encrypted nor of this machine.
    #[error("the container's endpoint is neither encrypted nor of this machine")]
    Endpoint,
    /// The file of the container's token cannot be read, or holds what cannot stand in a header field.
    #[error("the file of the container's token cannot be read, or holds no token")]
    TokenFile,
}

impl AwsCredentials {
    /// Uses these keys.
    #[must_use]
    pub fn keys(keys: AwsKeys) -> Self {
        Self::of(Source::Keys(keys))
    }

    /// Looks where Amazon's own tools look, when the first request is signed: in the variables `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY`, in the profile file `~/.aws/credentials`, at the endpoint of a container, at that of an EC2 instance
    /// (IMDSv2). The variables are those of now.
    #[must_use]
    pub fn discover() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Looks in the same places, with these variables.
    #[must_use]
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variables: BTreeMap<String, String> = VARIABLES
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), variable(name).filter(|value| !value.is_empty())?)))
            .collect();
        let file = match (variables.get("AWS_SHARED_CREDENTIALS_FILE"), variables.get("HOME")) {
            (Some(path), _) => Some(PathBuf::from(path)),
            (None, Some(home)) => Some(PathBuf::from(home).join(".aws/credentials")),
            (None, None) => None,
        };
        Self::of(Source::Found(Surroundings {
            profile: variables.get("AWS_PROFILE").cloned(),
            is_chosen: false,
            profile_files: file.into_iter().collect(),
            variables,
            instance: "http://169.254.169.254".to_owned(),
        }))
    }

    /// Takes keys from this profile of the file, in place of `AWS_PROFILE` or `default`.
    #[must_use]
    pub fn with_profile(mut self, name: impl Into<String>) -> Self {
        if let Source::Found(found) = &mut self.source {
            found.profile = Some(name.into());
            found.is_chosen = true;
        }
        self
    }

    /// Asks another base URL than `http://169.254.169.254` for the keys of an instance.
    #[must_use]
    pub fn with_instance_endpoint(mut self, url: impl Into<String>) -> Self {
        if let Source::Found(found) = &mut self.source {
            found.instance = url.into();
        }
        self
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            kept: Arc::default(),
        }
    }

    /// Returns keys that are good now.
    pub(super) async fn get(&self, context: &Context<'_>) -> Result<AwsKeys, SendError> {
        let found = match &self.source {
            Source::Keys(keys) => return Ok(keys.clone()),
            Source::Found(found) => found,
        };
        // One asks, the others wait for what it gets.
        let mut kept = self.kept.lock().await;
        if let Some((keys, until)) = &*kept
            && context.now().checked_add(EARLY).is_some_and(|soon| soon < *until)
        {
            return Ok(keys.clone());
        }
        let (keys, until) = found.find(context).await?;
        *kept = Some((keys.clone(), until));
        Ok(keys)
    }
}

impl fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.source {
            Source::Keys(_) => "AwsCredentials (keys)",
            Source::Found(_) => "AwsCredentials (discovered)",
        })
    }
}

fn no_keys(error: CredentialsError) -> SendError {
    let kind = match error {
        CredentialsError::Status(500..=599) => ErrorKind::Unavailable,
        _ => ErrorKind::Unauthorized,
    };
    SendError::new(kind, Disposition::NotAccepted)
        .with_detail("looking for keys")
        .with_source(error)
}

impl Surroundings {
    async fn find(&self, context: &Context<'_>) -> Result<(AwsKeys, SystemTime), SendError> {
        let for_long = context.now() + UNSAID;
        if self.is_chosen {
            // Who names a profile means no other account.
            let keys = self.of_profile().await.map_err(no_keys)?;
            return Ok((keys.ok_or_else(|| no_keys(CredentialsError::None))?, for_long));
        }
        if let Some(keys) = self.of_variables().map_err(no_keys)? {
            return Ok((keys, for_long));
        }
        if let Some(keys) = self.of_profile().await.map_err(no_keys)? {
            return Ok((keys, for_long));
        }
        if let Some(request) = self.container().await.map_err(no_keys)? {
            return fetch(context, request).await;
        }
        if self
            .variable("AWS_EC2_METADATA_DISABLED")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
        {
            return Err(no_keys(CredentialsError::None));
        }
        self.of_instance(context).await
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    fn of_variables(&self) -> Result<Option<AwsKeys>, CredentialsError> {
        let (Some(id), Some(secret)) = (
            self.variable("AWS_ACCESS_KEY_ID"),
            self.variable("AWS_SECRET_ACCESS_KEY"),
        ) else {
            return Ok(None);
        };
        made(id, secret, self.variable("AWS_SESSION_TOKEN")).map(Some)
    }

    async fn of_profile(&self) -> Result<Option<AwsKeys>, CredentialsError> {
        let profile = self.profile.as_deref().unwrap_or("default");
        for path in &self.profile_files {
            // A file that is not there, or may not be read, has no keys.
            let path = path.clone();
            let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
            let Ok(Ok(text)) = read else {
                continue;
            };
            let section = section(&text, profile);
            if let (Some(id), Some(secret)) = (section.get("aws_access_key_id"), section.get("aws_secret_access_key")) {
                return made(id, secret, section.get("aws_session_token").copied()).map(Some);
            }
        }
        Ok(None)
    }

    /// The request for the keys of a container (ECS, EKS), if the variables name an endpoint. Unencrypted it goes to this machine or to
    /// the addresses that these services have, and nowhere else: whoever can read it on the way has the keys.
    async fn container(&self) -> Result<Option<HttpRequest>, CredentialsError> {
        let relative = self.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        let url = match (relative, self.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
            // What does not begin with a slash would go on with the host.
            (Some(path), _) if path.starts_with('/') => format!("http://169.254.170.2{path}"),
            (Some(_), _) => return Err(CredentialsError::Endpoint),
            (None, Some(url)) => url.to_owned(),
            (None, None) => return Ok(None),
        };
        let url = url::Url::parse(&url).map_err(|_| CredentialsError::Endpoint)?;
        let is_near = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback() || NEAR_V4.contains(&ip),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback() || ip == NEAR_V6,
            None => false,
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && is_near) {
            return Err(CredentialsError::Endpoint);
        }
        let request = HttpRequest::new(Method::Get, url.as_str()).without_proxy();
        let token = match self.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            Some(path) => Some(token_of(path.into()).await?),
            None => self
                .variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
                .map(Secret::new)
                .transpose()?,
        };
        Ok(Some(match token {
            Some(token) => request.with_secret_header("Authorization", token.expose()),
            None => request,
        }))
    }

    /// Asks an EC2 instance's metadata service, version 2: a token first, then the role, then its keys.
    async fn of_instance(&self, context: &Context<'_>) -> Result<(AwsKeys, SystemTime), SendError> {
        const TOKEN: &str = "X-aws-ec2-metadata-token";
        const ROLES: &str = "latest/meta-data/iam/security-credentials/";
        let base = self.instance.trim_end_matches('/');
        let ask = HttpRequest::new(Method::Put, format!("{base}/latest/api/token"))
            .with_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
            .without_proxy();
        let token = exchange(context, ask).await?;
        let get = |path: String| {
            HttpRequest::new(Method::Get, format!("{base}/{path}"))
                .with_secret_header(TOKEN, token.trim())
                .without_proxy()
        };
        let roles = exchange(context, get(ROLES.to_owned())).await?;
        let role = roles.lines().next().map(str::trim).filter(|role| !role.is_empty());
        let role = role.ok_or_else(|| no_keys(CredentialsError::None))?;
        fetch(context, get(format!("{ROLES}{role}"))).await
    }
}

/// The addresses of the services that give containers their keys: of ECS, and of EKS.
const NEAR_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(169, 254, 170, 2), Ipv4Addr::new(169, 254, 170, 23)];
const NEAR_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23);

/// Longest file of a token that is read, in bytes.
const LONGEST_TOKEN: u64 = 64 << 10;

/// The token in a file, as it is now: it is replaced there every few hours.
async fn token_of(path: PathBuf) -> Result<Secret, CredentialsError> {
    let read = tokio::task::spawn_blocking(move || -> std::io::Result<String> {
        let mut text = String::new();
        let file = std::fs::File::open(path)?;
        file.take(LONGEST_TOKEN).read_to_string(&mut text)?;
        Ok(text)
    });
    let text = match read.await {
        Ok(Ok(text)) => Zeroizing::new(text),
        _ => return Err(CredentialsError::TokenFile),
    };
    Secret::new(text.trim()).map_err(|_| CredentialsError::TokenFile)
}

async fn exchange(context: &Context<'_>, request: HttpRequest) -> Result<String, SendError> {
    let response = context.ask(request).await.map_err(|error| {
        let kind = match error.malformed_part() {
            Some(_) => ErrorKind::Invalid,
            None => ErrorKind::Unavailable,
        };
        SendError::new(kind, Disposition::NotAccepted)
            .with_detail("looking for keys")
            .with_source(error)
    })?;
    if response.is_success() {
        Ok(response.text())
    } else {
        Err(no_keys(CredentialsError::Status(response.status())))
    }
}

/// Gets keys as both endpoints write them.
async fn fetch(context: &Context<'_>, request: HttpRequest) -> Result<(AwsKeys, SystemTime), SendError> {
    let text = exchange(context, request).await?;
    let answer: Value = serde_json::from_str(&text).map_err(|_| no_keys(CredentialsError::Answer))?;
    let field = |name: &str| answer.get(name).and_then(Value::as_str);
    let (Some(id), Some(secret)) = (field("AccessKeyId"), field("SecretAccessKey")) else {
        return Err(no_keys(CredentialsError::Answer));
    };
    let keys = made(id, secret, field("Token")).map_err(no_keys)?;
    let until = field("Expiration")
        .and_then(moment::from_text)
        .unwrap_or_else(|| context.now() + UNSAID);
    Ok((keys, until))
}

fn made(id: &str, secret: &str, token: Option<&str>) -> Result<AwsKeys, CredentialsError> {
    let keys = AwsKeys::new(id, secret)?;
    match token.filter(|token| !token.is_empty()) {
        Some(token) => Ok(keys.with_session_token(token)?),
        None => Ok(keys),
    }
}

/// The pairs of a section of a profile file: `[name]`, or `[profile name]`.
fn section<'t>(text: &'t str, name: &str) -> BTreeMap<&'t str, &'t str> {
    let mut here = false;
    let mut pairs = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(head) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let head = head.trim();
            here = head == name || head.strip_prefix("profile ").map(str::trim) == Some(name);
        } else if here
            && !line.starts_with(['#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            pairs.insert(key.trim(), value.trim());
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex as StdMutex;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::{HttpClient, HttpFuture, HttpResponse};

    /// Answers by what the URL ends with, and keeps what was asked.
    #[derive(Debug, Default)]
    struct Metadata {
        answers: StdMutex<VecDeque<(&'static str, HttpResponse)>>,
        asked: StdMutex<Vec<HttpRequest>>,
    }

    impl HttpClient for Metadata {
        fn execute(&self, request: HttpRequest) -> HttpFuture<'_> {
            let (end, answer) = self.answers.lock().unwrap().pop_front().expect("an answer");
            assert!(
                request.url().ends_with(end),
                "{} does not end with {end}",
                request.url()
            );
            self.asked.lock().unwrap().push(request);
            Box::pin(async move { Ok(answer) })
        }
    }

    fn metadata(answers: &[(&'static str, u16, &'static str)]) -> Metadata {
        let answers = answers
            .iter()
            .map(|(end, status, body)| (*end, HttpResponse::new(*status, *body)));
        Metadata {
            answers: StdMutex::new(answers.collect()),
            asked: StdMutex::default(),
        }
    }

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_767_322_800) // 2026-01-02T03:00:00Z
    }

    async fn get(credentials: &AwsCredentials, client: &Metadata, now: SystemTime) -> Result<AwsKeys, SendError> {
        credentials.get(&Context::new(client, now)).await
    }

    fn surroundings(variables: &[(&str, &str)]) -> AwsCredentials {
        let variables: BTreeMap<String, String> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        AwsCredentials::from_variables(|name| variables.get(name).cloned())
    }

    #[tokio::test]
    async fn variables_go_before_all_else() {
        let credentials = surroundings(&[
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "hidden"),
            ("AWS_SESSION_TOKEN", "token"),
        ]);
        let keys = get(&credentials, &Metadata::default(), now()).await.unwrap();
        assert_eq!(
            (keys.id(), keys.secret(), keys.session_token()),
            ("AKID", "hidden", Some("token"))
        );
        assert!(!format!("{keys:?} {credentials:?}").contains("hidden"));
    }

    #[tokio::test]
    async fn a_profile_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let text = "# mine\n[default]\naws_access_key_id = A\naws_secret_access_key=a\n\n[work]\naws_access_key_id=B\n\
                    aws_secret_access_key = b = c\n; no\n";
        std::fs::write(&path, text).unwrap();
        let file = ("AWS_SHARED_CREDENTIALS_FILE", path.to_str().unwrap());
        let keys = get(&surroundings(&[file]), &Metadata::default(), now()).await.unwrap();
        assert_eq!((keys.id(), keys.secret()), ("A", "a"));
        let work = surroundings(&[file]).with_profile("work");
        let keys = get(&work, &Metadata::default(), now()).await.unwrap();
        assert_eq!((keys.id(), keys.secret()), ("B", "b = c"));
    }

    #[tokio::test]
    async fn an_instance_is_asked_with_a_token_and_again_before_the_keys_expire() {
        let keys = r#"{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-02T04:00:00Z"}"#;
        let one = [
            ("/latest/api/token", 200, "the-token"),
            ("/iam/security-credentials/", 200, "the-role\n"),
            ("/iam/security-credentials/the-role", 200, keys),
        ];
        let client = metadata(&[one, one].concat());
        let credentials = surroundings(&[]).with_instance_endpoint("http://metadata.test");
        for (minutes, requests) in [(0, 3), (54, 3), (56, 6)] {
            let now = now() + Duration::from_secs(minutes * 60);
            let keys = get(&credentials, &client, now).await.unwrap();
            assert_eq!((keys.id(), keys.session_token()), ("A", Some("t")));
            assert_eq!(client.asked.lock().unwrap().len(), requests, "after {minutes} minutes");
        }
        let asked = client.asked.lock().unwrap();
        assert_eq!(asked[1].header("X-aws-ec2-metadata-token"), Some("the-token"));
        assert_eq!(asked[0].method(), Method::Put);
    }

    #[tokio::test]
    async fn a_container_is_asked_at_its_endpoint_and_at_no_other() {
        let keys = r#"{"AccessKeyId":"A","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-02T04:00:00Z"}"#;
        let client = metadata(&[("http://169.254.170.2/v2/x", 200, keys)]);
        let credentials = surroundings(&[
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hidden"),
        ]);
        assert_eq!(get(&credentials, &client, now()).await.unwrap().id(), "A");
        assert_eq!(client.asked.lock().unwrap()[0].header("authorization"), Some("hidden"));
        assert!(client.asked.lock().unwrap()[0].is_direct());
        for url in [
            "http://evil.example/x",
            "ftp://127.0.0.1.evil.example/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "http://127.0.0.1@evil.example/",
            "http://localhost.evil.example/",
            "http://169.254.169.254/",
            "http://10.0.0.1/",
            "http://[fd00:ec2::24]/",
            "nonsense",
        ] {
            let credentials = surroundings(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)]);
            let error = get(&credentials, &Metadata::default(), now()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{url}");
        }
        for path in ["@evil.example/x", ".evil.example/x", "x", ":80/x"] {
            let credentials = surroundings(&[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", path)]);
            assert!(get(&credentials, &Metadata::default(), now()).await.is_err(), "{path}");
        }
        for url in [
            "https://keys.example/x",
            "http://localhost:1/x",
            "http://127.9.9.9/x",
            "http://[::1]/x",
            "http://169.254.170.23/v1/x",
            "http://[fd00:ec2::23]/v1/x",
        ] {
            let client = metadata(&[("/x", 200, keys)]);
            let credentials = surroundings(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)]);
            assert_eq!(get(&credentials, &client, now()).await.unwrap().id(), "A", "{url}");
            assert!(client.asked.lock().unwrap()[0].is_direct(), "{url}");
        }
    }

    #[tokio::test]
    async fn the_token_of_a_container_is_read_anew_each_time() {
        let keys = r#"{"AccessKeyId":"A","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-02T03:01:00Z"}"#;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let client = metadata(&[("/x", 200, keys), ("/x", 200, keys)]);
        let credentials = surroundings(&[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/x"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "old"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path.to_str().unwrap()),
        ]);
        for token in ["first\n", "second"] {
            std::fs::write(&path, token).unwrap();
            assert!(get(&credentials, &client, now()).await.is_ok());
        }
        let asked: Vec<_> = client
            .asked
            .lock()
            .unwrap()
            .iter()
            .map(|one| one.header("authorization").unwrap().to_owned())
            .collect();
        assert_eq!(asked, ["first", "second"]);
        for wrong in [Some("hidden\r\nX: y"), Some(""), None] {
            match wrong {
                Some(text) => std::fs::write(&path, text).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            let error = get(&credentials, &Metadata::default(), now()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{wrong:?}");
            assert!(!format!("{error:?}").contains("hidden"));
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_said() {
        let credentials = surroundings(&[("AWS_EC2_METADATA_DISABLED", "true")]);
        let error = get(&credentials, &Metadata::default(), now()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Unauthorized, Disposition::NotAccepted)
        );
        for (status, body, kind) in [
            (404, "", ErrorKind::Unauthorized),
            (503, "", ErrorKind::Unavailable),
            (200, "", ErrorKind::Unauthorized),
        ] {
            let client = metadata(&[("/token", 200, "t"), ("security-credentials/", status, body)]);
            let error = get(&surroundings(&[]), &client, now()).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{status}");
        }
        let client = metadata(&[
            ("/token", 200, "t"),
            ("credentials/", 200, "r"),
            ("/r", 200, "{\"Code\":\"Failed\"}"),
        ]);
        assert!(get(&surroundings(&[]), &client, now()).await.is_err());
    }
}
