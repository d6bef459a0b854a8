//! What Amazon SES publishes about its limits.

use super::{Policy, PolicyLimit};

const MIB: u64 = 1024 * 1024;

/// Extensions of attachments that SES refuses, whatever the case ("Unsupported attachment types" of its developer guide).
const BLOCKED: &str = "ade adp app asp bas bat cer chm cmd com cpl crt csh der exe fxp gadget hlp hta inf ins isp its js jse \
    ksh lib lnk mad maf mag mam maq mar mas mat mau mav maw mda mdb mde mdt mdw mdz msc msh msh1 msh2 mshxml msh1xml msh2xml \
    msi msp mst ops pcd pif plg prf prg reg scf scr sct shb shs sys ps1 ps1xml ps2 ps2xml psc1 psc2 tmp url vb vbe vbs vps \
    vsmacros vss vst vsw vxd ws wsc wsf wsh xnk";

/// Header fields that SES takes at most once ("Header fields" of its developer guide).
const ONCE: &str = "Accept-Language acceptLanguage Archived-At Auto-Submitted Bounces-to Comments Content-Alternative \
    Content-Base Content-Class Content-Description Content-Disposition Content-Duration Content-ID Content-Language \
    Content-Length Content-Location Content-MD5 Content-Transfer-Encoding Content-Type Date Delivered-To \
    Disposition-Notification-Options Disposition-Notification-To DKIM-Signature DomainKey-Signature Errors-To From Importance \
    In-Reply-To Keywords List-Archive List-Help List-Id List-Owner List-Post List-Subscribe List-Unsubscribe \
    List-Unsubscribe-Post Message-Context Message-ID MIME-Version Organization Original-From Original-Message-ID \
    Original-Recipient Original-Subject Precedence Priority References Reply-To Return-Path Return-Receipt-To Sender \
    Solicitation Sensitivity Subject Thread-Index Thread-Topic User-Agent VBR-Info";

pub(super) fn raw() -> Policy {
    let mut policy = Policy::new()
        .limit(PolicyLimit::MessageSize, 40 * MIB)
        .limit(PolicyLimit::Recipients, 50)
        .limit(PolicyLimit::Parts, 500)
        .limit(PolicyLimit::Line, 1000)
        .limit(PolicyLimit::Address, 320)
        .ascii_addresses(true);
    for extension in BLOCKED.split(' ') {
        policy = policy.block_extension(extension);
    }
    for name in ONCE.split(' ') {
        policy = policy.once(name);
    }
    policy
}

pub(super) fn v1() -> Policy {
    raw().limit(PolicyLimit::MessageSize, 10 * MIB)
}

pub(super) fn v2() -> Policy {
    raw()
        .ascii_headers(true)
        .limit(PolicyLimit::Headers, 15)
        .limit(PolicyLimit::HeaderName, 126)
        .limit(PolicyLimit::HeaderValue, 995)
        .limit(PolicyLimit::HeaderField, 996)
        .limit(PolicyLimit::AttachmentName, 255)
        .limit(PolicyLimit::AttachmentDescription, 1000)
        .limit(PolicyLimit::ContentId, 78)
        .limit(PolicyLimit::ContentType, 78)
}
