//! `GRANT` and `REVOKE` of permissions on links.

use std::ops::Range;

use linkdial_core::Code;
use linkdial_core::define::nearest;

use super::ast::{Grants, Permission, StatementKind};
use super::error::{Broken, SyntaxError};
use super::lexer::TokenKind;
use super::parser::{Parser, Production};

impl Parser<'_> {
    /// `GRANT privileges ON scope TO users`.
    pub(super) fn grant(&mut self) -> Production<StatementKind> {
        Ok(match self.grants("TO")? {
            Some(grants) => StatementKind::Grant(grants),
            None => self.skipped(),
        })
    }

    /// `REVOKE privileges ON scope FROM users`.
    pub(super) fn revoke(&mut self) -> Production<StatementKind> {
        Ok(match self.grants("FROM")? {
            Some(grants) => StatementKind::Revoke(grants),
            None => self.skipped(),
        })
    }

    /// Reads the rest of the statement; `None` when it names no permission on links.
    fn grants(&mut self, before_users: &str) -> Production<Option<Grants>> {
        self.at += 1;
        let privileges = self.privileges();
        self.near_permission(&privileges)?;
        if !privileges.iter().any(|at| self.permission(at).is_some()) {
            return Ok(None);
        }
        let mut permissions = Vec::new();
        let mut others = Vec::new();
        for privilege in privileges {
            if let Some(permission) = self.permission(&privilege) {
                self.at = privilege.start + 2;
                if self.at < privilege.end {
                    let found = self.describe();
                    return self.unexpected(&format!("{found} stands where ON belongs"), ["ON"]);
                }
                if !permissions.contains(&permission) {
                    permissions.push(permission);
                }
            } else {
                self.at = privilege.start;
                let words = self.words(&privilege);
                if words.is_empty() {
                    let found = self.describe();
                    return self.unexpected(
                        &format!("{found} stands where a privilege belongs"),
                        Permission::ALL.map(Permission::as_str),
                    );
                }
                others.push(words.join(" "));
            }
            self.at = privilege.end;
        }
        self.expect_word("ON")?;
        let database = self.scope()?;
        self.expect_word(before_users)?;
        Ok(Some(Grants {
            permissions,
            database,
            users: self.users()?,
            others,
        }))
    }

    /// Returns where the privileges stand that commas part, up to `ON`, `TO` or `FROM`.
    fn privileges(&self) -> Vec<Range<usize>> {
        let mut privileges = Vec::new();
        let mut depth = 0_u32;
        let mut start = self.at;
        let mut at = self.at;
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                TokenKind::End => break,
                TokenKind::Symbol('(') => depth += 1,
                TokenKind::Symbol(')') => depth = depth.saturating_sub(1),
                TokenKind::Symbol(',') if depth == 0 => {
                    privileges.push(start..at);
                    start = at + 1;
                }
                _ if depth == 0
                    && ["ON", "TO", "FROM"]
                        .iter()
                        .any(|word| self.is_word_at(at, word)) =>
                {
                    break;
                }
                _ => {}
            }
            at += 1;
        }
        privileges.push(start..at);
        privileges
    }

    /// Returns the words a privilege starts with, in upper case.
    fn words(&self, privilege: &Range<usize>) -> Vec<String> {
        privilege
            .clone()
            .map_while(|at| self.word_at(at).map(str::to_ascii_uppercase))
            .collect()
    }

    fn permission(&self, privilege: &Range<usize>) -> Option<Permission> {
        let words = self.words(privilege);
        let name = words.get(..2)?.join(" ");
        Permission::ALL
            .into_iter()
            .find(|permission| permission.as_str() == name)
    }

    /// Records a slip in the words of a permission, which would pass as one of another privilege.
    fn near_permission(&mut self, privileges: &[Range<usize>]) -> Production<()> {
        for privilege in privileges {
            let near = match &self.words(privilege)[..] {
                [glued] => Permission::ALL
                    .map(Permission::as_str)
                    .into_iter()
                    .find(|name| name.replace(' ', "") == *glued),
                [verb, noun] if nearest(noun, ["LINK"].into_iter()).is_some() => Permission::ALL
                    .map(Permission::as_str)
                    .into_iter()
                    .find(|name| {
                        let verbs = name.split(' ').next().into_iter();
                        nearest(verb, verbs).is_some()
                    }),
                _ => None,
            };
            let Some(near) = near.filter(|_| self.permission(privilege).is_none()) else {
                continue;
            };
            let first = &self.tokens[privilege.start].span;
            let last = &self.tokens[privilege.end - 1].span;
            let error = SyntaxError::new(
                Code::SqlUnexpectedToken,
                first.start..last.end,
                "this is no permission on links",
            )
            .expected(Permission::ALL.map(Permission::as_str))
            .hint(format!("did you mean `{near}`?"));
            self.record(error);
            return Err(Broken);
        }
        Ok(())
    }

    /// Reads `*.*` or `database.*`.
    fn scope(&mut self) -> Production<Option<String>> {
        const SCOPES: [&str; 2] = ["*.*", "db.*"];
        let first = self.peek().span.start;
        let database = if self.is_sign('*') {
            self.at += 1;
            None
        } else if self.at_end() || self.is_word("TO") || self.is_word("FROM") {
            let found = self.describe();
            return self.unexpected(
                &format!("{found} stands where `*.*` or `db.*` belongs"),
                SCOPES,
            );
        } else {
            Some(self.identifier("`*.*` or `db.*`")?)
        };
        if self.is_sign('.') {
            self.at += 1;
            if self.is_sign('*') {
                self.at += 1;
                return Ok(database);
            }
            self.identifier("`*`")?;
        }
        self.record(
            SyntaxError::new(
                Code::SqlUnexpectedToken,
                first..self.tokens[self.at - 1].span.end,
                "link permissions stand at `*.*` or `db.*`",
            )
            .expected(SCOPES)
            .hint("write `*.*`, or `db.*` for the links of one database"),
        );
        Err(Broken)
    }

    fn users(&mut self) -> Production<Vec<String>> {
        let mut users = Vec::new();
        loop {
            if self.is_word("ROLE") && self.is_string_at(self.at + 1) {
                return self.no_plain_user("the registry has users and no roles");
            }
            let user = self.user()?;
            if !users.contains(&user) {
                users.push(user);
            }
            if !self.is_sign(',') {
                break;
            }
            self.at += 1;
        }
        if self.at_end() {
            return Ok(users);
        }
        let found = self.describe();
        self.no_plain_user(&format!("{found} stands where the statement could end"))
    }

    /// Records what a real server would know about a user.
    fn no_plain_user<T>(&mut self, message: &str) -> Production<T> {
        self.record(
            SyntaxError::new(
                Code::SqlUnexpectedToken,
                self.peek().span.clone(),
                message,
            )
            .expected([";"])
            .hint(
                "a user of the registry is a name and nothing more: leave out IDENTIFIED BY, WITH \
                 GRANT OPTION and the like",
            ),
        );
        Err(Broken)
    }

    /// Reads a user's name, bare or in quotes of any sort, with `@'%'` behind it or not.
    pub(super) fn user(&mut self) -> Production<String> {
        let span = self.peek().span.clone();
        let name = self.text_or_name("a user's name")?;
        if name.is_empty() {
            self.record(
                SyntaxError::new(
                    Code::SqlUnexpectedToken,
                    span,
                    "a user's name cannot be empty",
                )
                .expected(["a user's name"])
                .hint("the registry knows no nameless user; write the name"),
            );
            return Err(Broken);
        }
        if self.is_sign('@') {
            self.at += 1;
            self.any_host()?;
        }
        Ok(name)
    }

    /// Reads `'%'`, the one host of a user that has none.
    fn any_host(&mut self) -> Production<()> {
        let span = self.peek().span.clone();
        let bare = !matches!(
            self.peek().kind,
            TokenKind::String { .. } | TokenKind::Quoted { .. }
        );
        if !bare && self.text_or_name("a host")? == "%" {
            return Ok(());
        }
        self.record(
            SyntaxError::new(
                Code::SqlUnexpectedToken,
                span,
                "a user cannot be bound to a host here",
            )
            .expected(["'%'"])
            .hint("users of the registry have a name and no host: write the name alone, or `@'%'`"),
        );
        Err(Broken)
    }

    fn text_or_name(&mut self, what: &str) -> Production<String> {
        if self.is_string_at(self.at) {
            Ok(self.string(what)?.text.text().to_owned())
        } else {
            self.identifier(what)
        }
    }
}
