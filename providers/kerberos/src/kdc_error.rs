//! KRB-ERROR (RFC 4120, section 5.9.1) and what its codes mean.

use jiff::Timestamp;

use crate::der::{Der, INTEGER, OCTET_STRING, SEQUENCE, application, context};
use crate::encryption::EncryptionType;

/// PA-DATA that tells encryption types (RFC 4120, section 7.5.2), and the proof by a timestamp.
const ETYPE_INFO2: i64 = 19;
pub(crate) const ENC_TIMESTAMP: i64 = 2;

/// An error that a KDC or a server sent.
#[derive(Clone, Debug)]
pub(crate) struct KdcError {
    pub(crate) code: i64,
    /// The clock of the one who sent it.
    pub(crate) server_time: Timestamp,
    pub(crate) client_realm: Option<String>,
    pub(crate) text: String,
    /// What it would take as a proof.
    methods: Vec<(i64, Vec<EncryptionType>)>,
}

impl KdcError {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Der::new(bytes).expect(application(30))?.only(SEQUENCE)?;
        fields.number_field(0)?;
        fields.number_field(1)?;
        fields.optional_time_field(2)?;
        fields.optional_field(3, INTEGER)?;
        let server_time = fields.time_field(4)?;
        fields.number_field(5)?;
        let code = fields.number_field(6)?;
        let client_realm = match fields.optional(context(7))? {
            Some(mut realm) => Some(realm.next()?.1.text()),
            None => None,
        };
        // Names: the client's, realm and name of the service.
        for number in 8..=10 {
            fields.optional(context(number))?;
        }
        let text = match fields.optional(context(11))? {
            Some(mut text) => text.next()?.1.text(),
            None => String::new(),
        };
        let data = fields.optional_field(12, OCTET_STRING)?;
        let methods = data.and_then(|it| methods(it)).unwrap_or_default();
        Some(Self {
            code,
            server_time,
            client_realm,
            text,
            methods,
        })
    }

    /// Returns the name of the code as RFC 4120, section 7.5.9 has it.
    pub(crate) fn name(&self) -> String {
        match NAMES.iter().find(|(code, _)| *code == self.code) {
            Some((_, name)) => (*name).to_owned(),
            None => format!("error {}", self.code),
        }
    }

    /// Returns the numbers of the proofs that it would take.
    pub(crate) fn proofs(&self) -> impl Iterator<Item = i64> {
        self.methods.iter().map(|(number, _)| *number)
    }

    /// Returns the encryption types that it has keys of; empty where it does not say.
    pub(crate) fn encryption_types(&self) -> Vec<EncryptionType> {
        let told = self
            .methods
            .iter()
            .find(|(number, _)| *number == ETYPE_INFO2);
        told.map(|(_, kinds)| kinds.clone()).unwrap_or_default()
    }
}

/// METHOD-DATA. Other errors have other data, which is then no fault of the answer.
fn methods(data: Der<'_>) -> Option<Vec<(i64, Vec<EncryptionType>)>> {
    let mut entries = data.only(SEQUENCE)?;
    let mut methods = Vec::new();
    while !entries.is_empty() {
        let mut entry = entries.expect(SEQUENCE)?;
        let number = entry.number_field(1)?;
        let value = entry.field(2, OCTET_STRING)?;
        let kinds = (number == ETYPE_INFO2)
            .then(|| encryption_types(value))
            .flatten();
        methods.push((number, kinds.unwrap_or_default()));
    }
    Some(methods)
}

fn encryption_types(info: Der<'_>) -> Option<Vec<EncryptionType>> {
    let mut entries = info.only(SEQUENCE)?;
    let mut kinds = Vec::new();
    while !entries.is_empty() {
        let number = entries.expect(SEQUENCE)?.number_field(0)?;
        kinds.push(EncryptionType(i32::try_from(number).ok()?));
    }
    Some(kinds)
}

const NAMES: [(i64, &str); 37] = [
    (1, "KDC_ERR_NAME_EXP"),
    (2, "KDC_ERR_SERVICE_EXP"),
    (3, "KDC_ERR_BAD_PVNO"),
    (4, "KDC_ERR_C_OLD_MAST_KVNO"),
    (6, "KDC_ERR_C_PRINCIPAL_UNKNOWN"),
    (7, "KDC_ERR_S_PRINCIPAL_UNKNOWN"),
    (9, "KDC_ERR_NULL_KEY"),
    (11, "KDC_ERR_NEVER_VALID"),
    (12, "KDC_ERR_POLICY"),
    (13, "KDC_ERR_BADOPTION"),
    (14, "KDC_ERR_ETYPE_NOSUPP"),
    (15, "KDC_ERR_SUMTYPE_NOSUPP"),
    (16, "KDC_ERR_PADATA_TYPE_NOSUPP"),
    (18, "KDC_ERR_CLIENT_REVOKED"),
    (19, "KDC_ERR_SERVICE_REVOKED"),
    (20, "KDC_ERR_TGT_REVOKED"),
    (21, "KDC_ERR_CLIENT_NOTYET"),
    (23, "KDC_ERR_KEY_EXPIRED"),
    (24, "KDC_ERR_PREAUTH_FAILED"),
    (25, "KDC_ERR_PREAUTH_REQUIRED"),
    (26, "KDC_ERR_SERVER_NOMATCH"),
    (27, "KDC_ERR_MUST_USE_USER2USER"),
    (29, "KDC_ERR_SVC_UNAVAILABLE"),
    (31, "KRB_AP_ERR_BAD_INTEGRITY"),
    (32, "KRB_AP_ERR_TKT_EXPIRED"),
    (33, "KRB_AP_ERR_TKT_NYV"),
    (34, "KRB_AP_ERR_REPEAT"),
    (35, "KRB_AP_ERR_NOT_US"),
    (36, "KRB_AP_ERR_BADMATCH"),
    (37, "KRB_AP_ERR_SKEW"),
    (41, "KRB_AP_ERR_MODIFIED"),
    (44, "KRB_AP_ERR_BADKEYVER"),
    (45, "KRB_AP_ERR_NOKEY"),
    (50, "KRB_AP_ERR_INAPP_CKSUM"),
    (52, "KRB_ERR_RESPONSE_TOO_BIG"),
    (60, "KRB_ERR_GENERIC"),
    (68, "KDC_ERR_WRONG_REALM"),
];
