//! The vocabulary of findings: one fault, one code, one page.

use std::fmt;
use std::str::FromStr;

use crate::diagnosis::{Blame, Outcome, Retry};
use crate::stage::Stage;

macro_rules! codes {
    ($($variant:ident = $text:literal $outcome:ident $blame:ident $retry:ident;)+) => {
        /// The stable name of a fault: `stage.word-word`.
        ///
        /// The same fault has the same code for every provider. Each code has a page that
        /// `linkdial explain` prints.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $text, "`: ", "see its page.")] $variant,)+
            /// `STAGE.interrupted`: cancelled, or the deadline of the whole run came first.
            Interrupted(Stage),
        }

        impl Code {
            /// Every code, grouped by stage; [`Code::Interrupted`] stands once for all stages.
            pub const ALL: &[Self] = &[$(Self::$variant,)+ Self::Interrupted(Stage::Access)];

            /// Returns the text of the report.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Interrupted(stage) => stage.interrupted(),
                }
            }

            /// Returns the page: what it means, usual causes, how to confirm, how to fix.
            pub const fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("codes/", $text, ".md")),)+
                    Self::Interrupted(_) => include_str!("codes/interrupted.md"),
                }
            }

            /// Returns how a step with this code ends unless its provider knows better.
            pub const fn outcome(self) -> Outcome {
                match self {
                    $(Self::$variant => Outcome::$outcome,)+
                    Self::Interrupted(_) => Outcome::Unverified,
                }
            }

            /// Returns who has to act unless the provider knows better.
            pub const fn blame(self) -> Blame {
                match self {
                    $(Self::$variant => Blame::$blame,)+
                    Self::Interrupted(_) => Blame::Tool,
                }
            }

            /// Returns whether waiting helps unless the provider knows better.
            pub const fn retry(self) -> Retry {
                match self {
                    $(Self::$variant => Retry::$retry,)+
                    Self::Interrupted(_) => Retry::Later,
                }
            }
        }
    };
}

codes! {
    SqlConflict = "sql.conflict" Fail Tool Later;
    SqlDuplicateClause = "sql.duplicate-clause" Fail Configuration Never;
    SqlGluedKeyword = "sql.glued-keyword" Fail Configuration Never;
    SqlKindChange = "sql.kind-change" Fail Configuration Never;
    SqlLinkDamaged = "sql.link-damaged" Fail Tool Never;
    SqlLinkExists = "sql.link-exists" Fail Configuration Never;
    SqlMissingClause = "sql.missing-clause" Fail Configuration Never;
    SqlNoDatabase = "sql.no-database" Fail Configuration Never;
    SqlNoSuchLink = "sql.no-such-link" Fail Configuration Never;
    SqlNotPermitted = "sql.not-permitted" Fail Permission Never;
    SqlRedactedCredentials = "sql.redacted-credentials" Fail Configuration Never;
    SqlReplaceAndIfNotExists = "sql.replace-and-if-not-exists" Fail Configuration Never;
    SqlTypographicQuote = "sql.typographic-quote" Fail Configuration Never;
    SqlUnboundVariable = "sql.unbound-variable" Fail Configuration Never;
    SqlUnexpectedToken = "sql.unexpected-token" Fail Configuration Never;
    SqlUnknownKind = "sql.unknown-kind" Fail Configuration Never;
    SqlUnterminatedComment = "sql.unterminated-comment" Fail Configuration Never;
    SqlUnterminatedString = "sql.unterminated-string" Fail Configuration Never;

    DefineCertificateKeyMismatch = "define.certificate-key-mismatch" Fail Configuration Never;
    DefineConflictingKeys = "define.conflicting-keys" Fail Configuration Never;
    DefineDuplicateKey = "define.duplicate-key" Fail Configuration Never;
    DefineExtensionKey = "define.extension-key" Warn Configuration Never;
    DefineFileNotHere = "define.file-not-here" Unverified Tool Never;
    DefineFileUnreadable = "define.file-unreadable" Fail Configuration Never;
    DefineIdentityNotHere = "define.identity-not-here" Unverified Tool Never;
    DefineInvalidJson = "define.invalid-json" Fail Configuration Never;
    DefineInvalidValue = "define.invalid-value" Fail Configuration Never;
    DefineKeytabInvalid = "define.keytab-invalid" Fail Configuration Never;
    DefineMissingKey = "define.missing-key" Fail Configuration Never;
    DefineNoTarget = "define.no-target" Unverified Tool Never;
    DefineNotCompiledIn = "define.not-compiled-in" Unverified Tool Never;
    DefinePlaceholderValue = "define.placeholder-value" Fail Configuration Never;
    DefinePrincipalNotInKeytab = "define.principal-not-in-keytab" Fail Configuration Never;
    DefineRawLineBreak = "define.raw-line-break" Fail Configuration Never;
    DefineRefusedOption = "define.refused-option" Fail Configuration Never;
    DefineSecretInConfig = "define.secret-in-config" Warn Configuration Never;
    DefineSseCustomerKey = "define.sse-customer-key" Fail Configuration Never;
    DefineStrayWhitespace = "define.stray-whitespace" Fail Configuration Never;
    DefineTargetInvalid = "define.target-invalid" Fail Configuration Never;
    DefineTargetScheme = "define.target-scheme" Warn Configuration Never;
    DefineTemporaryKeyWithoutToken = "define.temporary-key-without-token" Fail Configuration Never;
    DefineUnknownKey = "define.unknown-key" Warn Configuration Never;
    DefineUnusedCredentials = "define.unused-credentials" Warn Configuration Never;
    DefineWrongType = "define.wrong-type" Fail Configuration Never;

    ResolveAddressRefused = "resolve.address-refused" Fail Network Never;
    ResolveNoAddress = "resolve.no-address" Fail Network Later;
    ResolveNotFound = "resolve.not-found" Fail Network Never;
    ResolveServerFailed = "resolve.server-failed" Fail Network Later;
    ResolveTimedOut = "resolve.timed-out" Fail Network Later;

    ConnectProxyFailed = "connect.proxy-failed" Fail Network Later;
    ConnectRefused = "connect.refused" Fail Network Later;
    ConnectOffline = "connect.offline" Unverified Tool Later;
    ConnectReset = "connect.reset" Fail Network Later;
    ConnectTimedOut = "connect.timed-out" Fail Network Later;
    ConnectTooManyFiles = "connect.too-many-files" Unverified Tool Later;
    ConnectUnreachable = "connect.unreachable" Fail Network Later;

    TlsClientCertificateRefused = "tls.client-certificate-refused" Fail Identity Never;
    TlsClientCertificateRequired = "tls.client-certificate-required" Fail Identity Never;
    TlsExpired = "tls.expired" Fail Server Never;
    TlsExpiresSoon = "tls.expires-soon" Warn Server Never;
    TlsHandshakeFailed = "tls.handshake-failed" Fail Network Never;
    TlsNameMismatch = "tls.name-mismatch" Fail Configuration Never;
    TlsNotTls = "tls.not-tls" Fail Configuration Never;
    TlsNotYetValid = "tls.not-yet-valid" Fail Server Later;
    TlsRequired = "tls.required" Fail Configuration Never;
    TlsTimedOut = "tls.timed-out" Fail Network Later;
    TlsUnknownIssuer = "tls.unknown-issuer" Fail Network Never;

    AuthenticateBadCredentials = "authenticate.bad-credentials" Fail Identity Never;
    AuthenticateBadSecret = "authenticate.bad-secret" Fail Identity Never;
    AuthenticateClockSkew = "authenticate.clock-skew" Fail Tool Never;
    AuthenticateDowngraded = "authenticate.downgraded" Fail Configuration Never;
    AuthenticateEncryptionType = "authenticate.encryption-type" Fail Configuration Never;
    AuthenticateKdcUnreachable = "authenticate.kdc-unreachable" Fail Network Later;
    AuthenticateKeytabStale = "authenticate.keytab-stale" Fail Identity Never;
    AuthenticateMechanismNotOffered = "authenticate.mechanism-not-offered" Fail Configuration Never;
    AuthenticateMethodDisabled = "authenticate.method-disabled" Fail Identity Never;
    AuthenticateNotEnforced = "authenticate.not-enforced" Warn Configuration Never;
    AuthenticatePrincipalUnknown = "authenticate.principal-unknown" Fail Identity Never;
    AuthenticateProtectionMismatch = "authenticate.protection-mismatch" Fail Configuration Never;
    AuthenticateRealmUnknown = "authenticate.realm-unknown" Fail Configuration Never;
    AuthenticateRequired = "authenticate.required" Fail Identity Never;
    AuthenticateRoleRefused = "authenticate.role-refused" Fail Permission Never;
    AuthenticateServiceRefused = "authenticate.service-refused" Fail Server Never;
    AuthenticateServiceUnknown = "authenticate.service-unknown" Fail Configuration Never;
    AuthenticateTimedOut = "authenticate.timed-out" Fail Network Later;
    AuthenticateTokenEndpoint = "authenticate.token-endpoint" Fail Identity Never;
    AuthenticateTokenExpired = "authenticate.token-expired" Fail Identity Never;
    AuthenticateTokenInvalid = "authenticate.token-invalid" Fail Identity Never;
    AuthenticateUnknownKey = "authenticate.unknown-key" Fail Identity Never;

    AccessDenied = "access.denied" Fail Permission Never;
    AccessLeaderMissing = "access.leader-missing" Fail Server Later;
    AccessMethodRefused = "access.method-refused" Warn Configuration Never;
    AccessNotFound = "access.not-found" Fail Configuration Never;
    AccessNotThisService = "access.not-this-service" Fail Configuration Never;
    AccessRedirected = "access.redirected" Fail Configuration Never;
    AccessRequestRefused = "access.request-refused" Fail Configuration Never;
    AccessSafeMode = "access.safe-mode" Fail Server Later;
    AccessServerError = "access.server-error" Fail Server Later;
    AccessStandby = "access.standby" Fail Server Later;
    AccessThrottled = "access.throttled" Warn Server Later;
    AccessTimedOut = "access.timed-out" Fail Network Later;
    AccessWrongRegion = "access.wrong-region" Fail Configuration Never;
    AccessWrongStyle = "access.wrong-style" Fail Configuration Never;

    ReadArchived = "read.archived" Fail Configuration Never;
    ReadDenied = "read.denied" Fail Permission Never;
    ReadKeyMismatch = "read.key-mismatch" Fail Identity Never;
    ReadKeyRequired = "read.key-required" Fail Configuration Never;
    ReadKmsDenied = "read.kms-denied" Fail Permission Never;
    ReadNotEncrypted = "read.not-encrypted" Fail Server Never;

    WriteDenied = "write.denied" Fail Permission Never;
    WriteKmsDenied = "write.kms-denied" Fail Permission Never;
    WriteLeftover = "write.leftover" Warn Permission Never;
    WriteNoSpace = "write.no-space" Fail Server Later;
    WriteNotEncrypted = "write.not-encrypted" Fail Server Never;
    WriteReadbackDiffers = "write.readback-differs" Fail Server Never;
}

impl Code {
    /// Returns the stage a step with this code belongs to; `None` for errors of the statement.
    pub fn stage(self) -> Option<Stage> {
        if let Self::Interrupted(stage) = self {
            return Some(stage);
        }
        let prefix = self.as_str().split('.').next().unwrap_or_default();
        Stage::ALL
            .into_iter()
            .find(|stage| stage.as_str() == prefix)
    }

    /// Returns the number of the error that SingleStore answers with where this code stands.
    ///
    /// A client that watches for numbers knows these: 1046 (no database selected), 1064 (syntax) and
    /// 1227 (access denied) are MySQL's, 2332 is SingleStore's own for a `DROP LINK` of a missing link.
    /// SingleStore documents no number for the others.
    pub const fn number(self) -> Option<u32> {
        match self {
            Self::SqlNoDatabase => Some(1046),
            Self::SqlDuplicateClause
            | Self::SqlGluedKeyword
            | Self::SqlMissingClause
            | Self::SqlTypographicQuote
            | Self::SqlUnexpectedToken
            | Self::SqlUnknownKind
            | Self::SqlUnterminatedString => Some(1064),
            Self::SqlNotPermitted => Some(1227),
            Self::SqlNoSuchLink => Some(2332),
            _ => None,
        }
    }

    /// Returns whether an answer with this code shows that the server took the identity.
    ///
    /// Where one call carries identity and access, such an answer passes `authenticate`.
    pub const fn proves_identity(self) -> bool {
        matches!(
            self,
            Self::AccessDenied
                | Self::AccessNotFound
                | Self::AccessSafeMode
                | Self::AccessStandby
                | Self::ReadArchived
                | Self::ReadDenied
                | Self::ReadKeyMismatch
                | Self::ReadKeyRequired
                | Self::ReadKmsDenied
                | Self::WriteDenied
                | Self::WriteKmsDenied
                | Self::WriteNoSpace
        )
    }

    /// Returns whether the key that names the endpoint may have caused it.
    pub(crate) const fn may_be_the_endpoints(self) -> bool {
        matches!(
            self,
            Self::AccessNotThisService
                | Self::AccessTimedOut
                | Self::AuthenticateTimedOut
                | Self::ConnectRefused
                | Self::ConnectReset
                | Self::ConnectTimedOut
                | Self::ConnectUnreachable
                | Self::ResolveAddressRefused
                | Self::ResolveNoAddress
                | Self::ResolveNotFound
                | Self::ResolveServerFailed
                | Self::ResolveTimedOut
                | Self::TlsClientCertificateRequired
                | Self::TlsExpired
                | Self::TlsExpiresSoon
                | Self::TlsHandshakeFailed
                | Self::TlsNameMismatch
                | Self::TlsNotTls
                | Self::TlsNotYetValid
                | Self::TlsRequired
                | Self::TlsTimedOut
                | Self::TlsUnknownIssuer
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text is no code.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a code")]
pub struct UnknownCode;

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        if let Some(stage) = Stage::ALL
            .into_iter()
            .find(|stage| stage.interrupted() == text)
        {
            return Ok(Self::Interrupted(stage));
        }
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or(UnknownCode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_statements_have_a_number_of_singlestore() {
        let numbered: Vec<_> = Code::ALL
            .iter()
            .filter_map(|code| Some((code.as_str(), code.number()?)))
            .collect();
        assert_eq!(
            numbered,
            [
                ("sql.duplicate-clause", 1064),
                ("sql.glued-keyword", 1064),
                ("sql.missing-clause", 1064),
                ("sql.no-database", 1046),
                ("sql.no-such-link", 2332),
                ("sql.not-permitted", 1227),
                ("sql.typographic-quote", 1064),
                ("sql.unexpected-token", 1064),
                ("sql.unknown-kind", 1064),
                ("sql.unterminated-string", 1064),
            ]
        );
    }
}
