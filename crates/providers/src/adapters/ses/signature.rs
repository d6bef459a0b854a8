//! Signature Version 4, by Amazon's own crate.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_lc_rs::digest::{Context as Digest, SHA256};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as sign_request};
use aws_sigv4::sign::v4;
use posthaste_transport::{ContentReader, Disposition, ErrorKind, SendError};

use super::AwsKeys;
use crate::HttpRequest;
use crate::hex::hex;

/// Signs a request for the service `ses` of a region.
pub(super) async fn sign(
    request: HttpRequest,
    keys: &AwsKeys,
    region: &str,
    now: SystemTime,
) -> Result<HttpRequest, SendError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        SendError::new(ErrorKind::Invalid, Disposition::NotAccepted)
            .with_detail("signing the request")
            .with_source(error)
    };
    let hash = hash(&request).await?;
    let credentials = Credentials::new(
        keys.id(),
        keys.secret(),
        keys.session_token().map(str::to_owned),
        None,
        "posthaste",
    );
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("ses")
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| failed(error.into()))?
        .into();
    let signable = SignableRequest::new(
        request.method().as_str(),
        request.url(),
        request.headers(),
        SignableBody::Precomputed(hash),
    )
    .map_err(|error| failed(error.into()))?;
    let (instructions, _) = sign_request(signable, &params)
        .map_err(|error| failed(error.into()))?
        .into_parts();
    let (headers, _) = instructions.into_parts();
    Ok(headers.into_iter().fold(request, |request, header| {
        request.with_secret_header(header.name(), header.value())
    }))
}

/// The SHA-256 of the body, in hexadecimal digits. What is streamed is read for it, and read again when it is sent.
async fn hash(request: &HttpRequest) -> Result<String, SendError> {
    let mut digest = Digest::new(&SHA256);
    let mut reader = ContentReader::new(request.body());
    while let Some(chunk) = reader.next().await {
        digest.update(&chunk.map_err(|error| {
            SendError::new(ErrorKind::Unreadable, Disposition::NotAccepted)
                .with_detail("reading the message")
                .with_source(error)
        })?);
    }
    Ok(hex(digest.finish().as_ref()))
}
