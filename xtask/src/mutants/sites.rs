//! Where a file refuses something, and what to insert there so that one check at a time can be switched off.
//!
//! Nothing is replaced, only inserted, and no line breaks: lines keep their numbers, and changes may lie in one another.

use std::fmt;

use anyhow::{Context, Result};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Arm, BinOp, Block, Expr, ExprBinary, ExprIf, ExprMatch, ExprMethodCall, Lit, Local, Pat, ReturnType, Stmt, Token,
    UnOp,
};

/// How a check is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It no longer refuses.
    Off,
    /// It is off by one: what is exactly at the limit is judged as if it were one step further inside or outside.
    Boundary,
    /// Nothing to go on with: the refusal has to be reached by a test.
    Needed,
}

/// One check.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) path: String,
    pub(super) line: usize,
    at: usize,
    pub(super) function: String,
    /// The code of the check, on one line.
    pub(super) text: String,
}

impl Site {
    /// Names the check without its line, which changes too easily.
    pub(super) fn key(&self) -> String {
        let Site { kind, path, function, text, .. } = self;
        format!("{path} {function} {kind}: {text}")
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Site { kind, path, line, function, text, .. } = self;
        write!(f, "{path}:{line} {function} {kind}: {text}")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Off => "off",
            Kind::Boundary => "off by one",
            Kind::Needed => "unreached",
        })
    }
}

struct Edit {
    at: usize,
    closing: bool,
    order: usize,
    text: String,
}

/// The file with its switches, and the checks they belong to. Numbers start behind `last`.
pub(super) fn instrument(path: &str, source: &str, last: u32) -> Result<(String, Vec<Site>)> {
    let file = syn::parse_file(source).with_context(|| format!("{path} does not parse"))?;
    let mut finder = Finder {
        path,
        source,
        last,
        sites: Vec::new(),
        edits: Vec::new(),
        functions: Vec::new(),
        inverted: Vec::new(),
        covered: 0,
    };
    finder.visit_file(&file);
    // At one place: what closes comes before what opens, inner before outer, and outer opens first.
    finder.edits.sort_by_key(|edit| {
        let order = isize::try_from(edit.order).unwrap_or(isize::MAX);
        (edit.at, !edit.closing, if edit.closing { -order } else { order })
    });
    let (mut out, mut from) = (String::with_capacity(source.len() * 2), 0);
    for edit in &finder.edits {
        out.push_str(source.get(from..edit.at).unwrap_or_default());
        out.push_str(&edit.text);
        from = edit.at;
    }
    out.push_str(source.get(from..).unwrap_or_default());
    Ok((out, finder.sites))
}

/// What a function answers, as far as it matters for switching off.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// `Result<(), _>`: there is always something to go on with.
    Nothing,
    Option,
    Bool,
    Other,
}

struct Finder<'a> {
    path: &'a str,
    source: &'a str,
    last: u32,
    sites: Vec<Site>,
    edits: Vec<Edit>,
    functions: Vec<(String, Answers)>,
    /// Where the bodies of those filters start that let pass what is then refused.
    inverted: Vec<usize>,
    /// How many of the branches around this place belong to a check that is known.
    covered: usize,
}

impl Finder<'_> {
    fn answers(&self) -> Answers {
        self.functions.last().map_or(Answers::Other, |(_, answers)| *answers)
    }

    fn text(&self, node: &impl Spanned) -> String {
        let text = self.source.get(node.span().byte_range()).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether this code, which can be come to in two ways, has its switch already.
    fn is_known(&self, kind: Kind, node: &impl Spanned) -> bool {
        let start = node.span().byte_range().start;
        let text = self.text(node);
        self.sites.iter().any(|site| site.kind == kind && site.at == start && site.text == shortened(&text))
    }

    fn site(&mut self, kind: Kind, node: &impl Spanned) -> u32 {
        self.last += 1;
        let names: Vec<&str> = self.functions.iter().map(|(name, _)| name.as_str()).filter(|n| !n.is_empty()).collect();
        self.sites.push(Site {
            number: self.last,
            kind,
            path: self.path.to_owned(),
            line: node.span().start().line,
            at: node.span().byte_range().start,
            function: names.last().copied().unwrap_or_default().to_owned(),
            text: shortened(&self.text(node)),
        });
        self.last
    }

    fn wrap(&mut self, node: &impl Spanned, before: String, behind: String) {
        let range = node.span().byte_range();
        let order = self.edits.len();
        self.edits.push(Edit { at: range.start, closing: false, order, text: before });
        self.edits.push(Edit { at: range.end, closing: true, order, text: behind });
    }

    fn append(&mut self, node: &impl Spanned, behind: String) {
        self.wrap(node, String::new(), behind);
    }

    /// `condition` refuses: switched off, it is false. Each part of an `||` is a check of its own.
    fn refuses(&mut self, condition: &Expr) {
        match condition {
            Expr::Binary(ExprBinary { left, op: BinOp::Or(_), right, .. }) => {
                self.refuses(left);
                self.refuses(right);
            }
            Expr::Paren(inner) => self.refuses(&inner.expr),
            Expr::Unary(not) if matches!(not.op, UnOp::Not(_)) => self.accepts(&not.expr),
            _ if self.is_known(Kind::Off, condition) => {}
            _ => {
                let number = self.site(Kind::Off, condition);
                self.invert_filters(condition);
                match has_let(condition) {
                    true => self.append(condition, format!(" && crate::mutant::holds({number})")),
                    false => self.wrap(condition, "((".into(), format!(") && crate::mutant::holds({number}))")),
                }
                self.boundary(condition);
            }
        }
    }

    /// `if let Some(late) = end.filter(…) { refuse }`: what the filter lets pass is refused.
    fn invert_filters(&mut self, value: &Expr) {
        match value {
            Expr::Let(binding) => self.invert_filters(&binding.expr),
            Expr::Binary(binary) => {
                self.invert_filters(&binary.left);
                self.invert_filters(&binary.right);
            }
            Expr::MethodCall(call) if call.method == "filter" => {
                if let Some(Expr::Closure(closure)) = call.args.first() {
                    self.inverted.push(closure.body.span().byte_range().start);
                }
            }
            _ => {}
        }
    }

    /// `condition` accepts: switched off, it is true. Each part of an `&&` is a check of its own.
    fn accepts(&mut self, condition: &Expr) {
        match condition {
            Expr::Binary(ExprBinary { left, op: BinOp::And(_), right, .. }) => {
                self.accepts(left);
                self.accepts(right);
            }
            Expr::Paren(inner) => self.accepts(&inner.expr),
            Expr::Unary(not) if matches!(not.op, UnOp::Not(_)) => self.refuses(&not.expr),
            _ if has_let(condition) || self.is_known(Kind::Off, condition) => {}
            _ => {
                let number = self.site(Kind::Off, condition);
                self.wrap(condition, "((".into(), format!(") || crate::mutant::off({number}))"));
                self.boundary(condition);
                self.parts(condition);
            }
        }
    }

    /// The checks within something that answers a bool: only the parts of each `&&`.
    fn parts(&mut self, condition: &Expr) {
        match condition {
            Expr::Binary(ExprBinary { op: BinOp::And(_), .. }) => self.accepts(condition),
            Expr::Binary(ExprBinary { left, op: BinOp::Or(_), right, .. }) => {
                self.parts(left);
                self.parts(right);
            }
            Expr::Paren(inner) => self.parts(&inner.expr),
            Expr::Block(block) => {
                if let Some(Stmt::Expr(tail, None)) = block.block.stmts.last() {
                    self.parts(tail);
                }
            }
            _ => self.boundary(condition),
        }
    }

    /// A comparison that is off by one.
    fn boundary(&mut self, condition: &Expr) {
        let Expr::Binary(ExprBinary { left, op, right, .. }) = condition else { return };
        let closed = match op {
            BinOp::Gt(_) | BinOp::Lt(_) => false,
            BinOp::Ge(_) | BinOp::Le(_) => true,
            _ => return,
        };
        if self.is_known(Kind::Boundary, condition) {
            return;
        }
        let (left, right) = (self.text(left), self.text(right));
        let number = self.site(Kind::Boundary, condition);
        let behind = match closed {
            false => format!(" || (crate::mutant::off({number}) && ({left}) == ({right})))"),
            true => format!(" && (crate::mutant::holds({number}) || ({left}) != ({right})))"),
        };
        self.wrap(condition, "(".into(), behind);
    }

    fn is_refusal(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Return(returned) => returned.expr.as_ref().is_some_and(|inner| self.is_refusal(inner)),
            Expr::Paren(inner) => self.is_refusal(&inner.expr),
            Expr::Block(block) => self.block_refuses(&block.block),
            // A refusal may be a value: `Ok(Err(…))`.
            Expr::Call(call) if is_ok(expression) => call.args.first().is_some_and(|inner| self.is_refusal(inner)),
            Expr::Call(call) => match call.func.as_ref() {
                Expr::Path(path) => path.path.segments.last().is_some_and(|last| {
                    ["Err", "failed", "malformed", "refused", "invalid", "unusable"]
                        .iter()
                        .any(|name| last.ident == name)
                }),
                _ => false,
            },
            Expr::Path(path) => path.path.is_ident("None") && self.answers() == Answers::Option,
            Expr::Lit(literal) => {
                matches!(&literal.lit, Lit::Bool(value) if !value.value) && self.answers() == Answers::Bool
            }
            _ => false,
        }
    }

    fn block_refuses(&self, block: &Block) -> bool {
        matches!(block.stmts.last(), Some(Stmt::Expr(last, _)) if self.is_refusal(last))
    }

    fn match_sites(&mut self, found: &ExprMatch) {
        let refusing: Vec<bool> = found.arms.iter().map(|arm| self.is_refusal(&arm.body)).collect();
        if let [yes, no] = found.arms.as_slice()
            && let (Some(a), Some(b)) = (bool_of(&yes.pat), bool_of(&no.pat))
            && a != b
        {
            // `match condition { true => …, false => … }`
            match refusing.as_slice() {
                [true, false] if a => return self.refuses(&found.expr),
                [true, false] => return self.accepts(&found.expr),
                [false, true] if a => return self.accepts(&found.expr),
                [false, true] => return self.refuses(&found.expr),
                _ => {}
            }
        }
        self.scrutinee(found, &refusing);
        if found.arms.iter().zip(&refusing).any(|(arm, refusing)| *refusing && is_some(&arm.pat)) {
            self.invert_filters(&found.expr);
        }
        for (at, arm) in found.arms.iter().enumerate() {
            let is_refusing = refusing.get(at).copied().unwrap_or(false);
            match (&arm.guard, is_refusing) {
                (Some((_, guard)), true) => self.refuses(guard),
                (Some((_, guard)), false) => self.accepts(guard),
                (None, true) => self.refusing_arm(found, at, arm),
                (None, false) => {}
            }
        }
    }

    /// An arm that refuses whatever matches it: off, another arm takes its place, or there is nothing wrong.
    fn refusing_arm(&mut self, found: &ExprMatch, at: usize, arm: &Arm) {
        let later = found.arms.iter().skip(at + 1);
        let falls = later.filter(|later| later.guard.is_none() && covers(&later.pat, &arm.pat)).collect::<Vec<_>>();
        let falls_to_acceptance = falls.iter().any(|later| !self.is_refusal(&later.body));
        let none_follows = found.arms.iter().any(|other| is_none(&other.pat) && !self.is_refusal(&other.body));
        if falls_to_acceptance {
            let number = self.site(Kind::Off, arm);
            self.append(&arm.pat, format!(" if crate::mutant::holds({number})"));
        } else if self.answers() == Answers::Nothing && !matches!(arm.body.as_ref(), Expr::Return(_)) {
            let number = self.site(Kind::Off, arm);
            self.wrap(
                &arm.body,
                format!("{{ if crate::mutant::holds({number}) {{ "),
                " } else { Ok(()) } }".to_owned(),
            );
        } else if is_some(&arm.pat) && none_follows {
            let number = self.site(Kind::Off, arm);
            self.wrap(&found.expr, format!("crate::mutant::none({number}, "), ")".into());
        } else {
            let number = self.site(Kind::Needed, arm);
            self.wrap(&arm.body, format!("{{ crate::mutant::reached({number}); "), " }".into());
        }
    }

    /// Counts and lists that an accepting arm wants to be of a certain size.
    fn scrutinee(&mut self, found: &ExprMatch, refusing: &[bool]) {
        if !refusing.contains(&true) {
            return;
        }
        let accepting: Vec<&Pat> =
            found.arms.iter().zip(refusing).filter(|(_, refusing)| !**refusing).map(|(arm, _)| &arm.pat).collect();
        self.wanted(&found.expr, &accepting);
    }

    fn wanted(&mut self, value: &Expr, accepting: &[&Pat]) {
        if let Expr::Tuple(tuple) = value {
            for (at, element) in tuple.elems.iter().enumerate() {
                let at_place = accepting.iter().filter_map(|pattern| match pattern {
                    Pat::Tuple(pattern) => pattern.elems.iter().nth(at),
                    _ => None,
                });
                let patterns: Vec<&Pat> = at_place.collect();
                if patterns.iter().any(|pattern| is_zero(pattern)) {
                    let number = self.site(Kind::Off, element);
                    self.wrap(element, format!("crate::mutant::zero({number}, "), ")".into());
                } else if patterns.iter().any(|pattern| bool_of(pattern) == Some(false)) {
                    let number = self.site(Kind::Off, element);
                    self.wrap(element, "(".into(), format!(" && crate::mutant::holds({number}))"));
                } else if at > 0 && patterns.iter().any(|pattern| is_none(pattern)) {
                    let number = self.site(Kind::Off, element);
                    self.wrap(element, format!("crate::mutant::none({number}, "), ")".into());
                }
            }
        }
        let lengths = accepting.iter().filter_map(|pattern| match pattern {
            Pat::Slice(slice) => Some(slice.elems.len()),
            _ => None,
        });
        if let Some(most) = lengths.max().filter(|most| *most > 0) {
            let number = self.site(Kind::Off, value);
            self.wrap(value, format!("crate::mutant::first({number}, "), format!(", {most})"));
        }
    }

    fn statement(&mut self, statement: &Stmt, is_last: bool) {
        match statement {
            // `check(…)?;`
            Stmt::Expr(whole @ Expr::Try(tried), Some(_)) if is_of_another(&tried.expr) => {
                let number = self.site(Kind::Off, whole);
                self.wrap(statement, format!("if crate::mutant::holds({number}) {{ "), " }".into());
            }
            // `check(…)` at the end of a function that only checks.
            Stmt::Expr(Expr::Call(call), None) if is_last && self.answers() == Answers::Nothing => {
                let is_check = matches!(call.func.as_ref(), Expr::Path(path)
                    if path.path.segments.last().is_some_and(|last| last.ident.to_string().starts_with("check")));
                if is_check {
                    let number = self.site(Kind::Off, call);
                    self.wrap(call, format!("if crate::mutant::holds({number}) {{ "), " } else { Ok(()) }".into());
                }
            }
            _ => {}
        }
    }

    fn within(&mut self, is_covered: bool, visit: impl FnOnce(&mut Self)) {
        self.covered += usize::from(is_covered);
        visit(self);
        self.covered -= usize::from(is_covered);
    }

    fn enter(&mut self, name: String, answers: Answers, block: &Block) {
        self.functions.push((name, answers));
        if answers == Answers::Bool
            && let Some(Stmt::Expr(tail, None)) = block.stmts.last()
        {
            self.parts(tail);
        }
        let last = block.stmts.len().saturating_sub(1);
        for (at, statement) in block.stmts.iter().enumerate() {
            self.statement(statement, at == last);
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let is_test = module.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"));
        if !is_test {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.enter(function.sig.ident.to_string(), answers_of(&function.sig.output), &function.block);
        visit::visit_item_fn(self, function);
        self.functions.pop();
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.enter(function.sig.ident.to_string(), answers_of(&function.sig.output), &function.block);
        visit::visit_impl_item_fn(self, function);
        self.functions.pop();
    }

    /// What a transaction does stands in a macro.
    fn visit_macro(&mut self, invoked: &'ast syn::Macro) {
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated;
        if invoked.path.is_ident("write_tx")
            && let Ok(arguments) = invoked.parse_body_with(arguments)
        {
            for argument in &arguments {
                Visit::visit_expr(self, argument);
            }
        }
    }

    /// A closure that makes a refusal is no check; where it is called is.
    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.parts(&closure.body);
        self.functions.push((String::new(), Answers::Other));
        self.within(true, |finder| visit::visit_expr_closure(finder, closure));
        self.functions.pop();
    }

    /// A refusal in a place of no known shape has at least to be reached.
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if self.covered == 0 && matches!(call.func.as_ref(), Expr::Path(path) if path.path.is_ident("Err")) {
            let number = self.site(Kind::Needed, call);
            self.wrap(call, format!("{{ crate::mutant::reached({number}); "), " }".into());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if let Some(init) = &local.init {
            let refuses_else = init.diverge.as_ref().is_some_and(|(_, diverging)| self.is_refusal(diverging));
            if refuses_else {
                self.wanted(&init.expr, &[&local.pat]);
                if let Some((_, diverging)) = &init.diverge {
                    let number = self.site(Kind::Needed, local);
                    let at = diverging.span().byte_range().start + 1;
                    let order = self.edits.len();
                    let text = format!(" crate::mutant::reached({number});");
                    self.edits.push(Edit { at, closing: false, order, text });
                }
            } else if !matches!(*init.expr, Expr::Closure(_)) {
                self.parts(&init.expr);
            }
        }
        for attribute in &local.attrs {
            self.visit_attribute(attribute);
        }
        if let Some(init) = &local.init {
            self.visit_expr(&init.expr);
            if let Some((_, diverging)) = &init.diverge {
                self.within(true, |finder| finder.visit_expr(diverging));
            }
        }
    }

    fn visit_expr_if(&mut self, found: &'ast ExprIf) {
        let otherwise = found.else_branch.as_ref().map(|(_, otherwise)| self.is_refusal(otherwise));
        let accepts_at_once = matches!(found.then_branch.stmts.last(),
            Some(Stmt::Expr(Expr::Return(returned), _)) if returned.expr.as_ref().is_some_and(|e| is_ok(e)));
        let refuses = self.block_refuses(&found.then_branch);
        if refuses {
            self.refuses(&found.cond);
        } else if otherwise == Some(true) || (otherwise.is_none() && accepts_at_once) {
            self.accepts(&found.cond);
        }
        self.visit_expr(&found.cond);
        self.within(refuses, |finder| finder.visit_block(&found.then_branch));
        if let Some((_, otherwise_branch)) = &found.else_branch {
            self.within(otherwise == Some(true), |finder| finder.visit_expr(otherwise_branch));
        }
    }

    fn visit_expr_match(&mut self, found: &'ast ExprMatch) {
        self.match_sites(found);
        self.visit_expr(&found.expr);
        for arm in &found.arms {
            if let Some((_, guard)) = &arm.guard {
                self.visit_expr(guard);
            }
            let refuses = self.is_refusal(&arm.body);
            self.within(refuses, |finder| finder.visit_expr(&arm.body));
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let name = call.method.to_string();
        if matches!(name.as_str(), "ok_or" | "ok_or_else" | "map_err") && !passes_on(call) {
            let number = self.site(Kind::Needed, call);
            self.wrap(call, format!("crate::mutant::needed({number}, "), ")".into());
        }
        if name == "filter"
            && let Some(Expr::Closure(closure)) = call.args.first()
            && !matches!(closure.body.as_ref(), Expr::Binary(ExprBinary { op: BinOp::And(_), .. }) | Expr::Block(_))
        {
            match self.inverted.contains(&closure.body.span().byte_range().start) {
                true => self.refuses(&closure.body),
                false => self.accepts(&closure.body),
            }
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_try(&mut self, tried: &'ast syn::ExprTry) {
        if let Expr::MethodCall(call) = tried.expr.as_ref() {
            let own = matches!(call.receiver.as_ref(), Expr::Path(path) if path.path.is_ident("self"));
            let noted = matches!(call.method.to_string().as_str(), "ok_or" | "ok_or_else" | "map_err");
            if !own && !noted {
                let number = self.site(Kind::Needed, &tried.expr);
                self.wrap(&tried.expr, format!("crate::mutant::needed({number}, "), ")".into());
            }
        }
        visit::visit_expr_try(self, tried);
    }
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 90;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn answers_of(output: &ReturnType) -> Answers {
    let ReturnType::Type(_, output) = output else { return Answers::Other };
    let syn::Type::Path(path) = output.as_ref() else { return Answers::Other };
    let Some(last) = path.path.segments.last() else { return Answers::Other };
    let first_argument = match &last.arguments {
        syn::PathArguments::AngleBracketed(arguments) => arguments.args.first(),
        _ => None,
    };
    match last.ident.to_string().as_str() {
        "Result" => match first_argument {
            Some(syn::GenericArgument::Type(syn::Type::Tuple(tuple))) if tuple.elems.is_empty() => Answers::Nothing,
            _ => Answers::Other,
        },
        "Option" => Answers::Option,
        "bool" => Answers::Bool,
        _ => Answers::Other,
    }
}

fn has_let(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// A call, but not of a step of the same object, which has to be taken to get on.
fn is_of_another(expression: &Expr) -> bool {
    match expression {
        Expr::Call(_) => true,
        Expr::MethodCall(call) => !matches!(call.receiver.as_ref(), Expr::Path(path) if path.path.is_ident("self")),
        _ => false,
    }
}

/// `.map_err(function)`: another layer's refusal in other words, and no check of its own.
fn passes_on(call: &ExprMethodCall) -> bool {
    let is_function = |path: &syn::ExprPath| {
        let name = path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        name.starts_with(|first: char| first.is_ascii_lowercase())
    };
    call.method == "map_err" && matches!(call.args.first(), Some(Expr::Path(path)) if is_function(path))
}

fn is_ok(expression: &Expr) -> bool {
    matches!(expression, Expr::Call(call) if matches!(call.func.as_ref(), Expr::Path(path) if path.path.is_ident("Ok")))
}

fn bool_of(pattern: &Pat) -> Option<bool> {
    match pattern {
        Pat::Lit(literal) => match &literal.lit {
            Lit::Bool(value) => Some(value.value),
            _ => None,
        },
        _ => None,
    }
}

fn is_zero(pattern: &Pat) -> bool {
    matches!(pattern, Pat::Lit(literal) if matches!(&literal.lit, Lit::Int(value) if value.base10_digits() == "0"))
}

fn is_none(pattern: &Pat) -> bool {
    matches!(pattern, Pat::Ident(name) if name.ident == "None")
}

fn is_some(pattern: &Pat) -> bool {
    matches!(pattern, Pat::TupleStruct(of) if of.path.is_ident("Some"))
}

/// Whether `later` matches whatever `earlier` matches, as far as that can be seen.
fn covers(later: &Pat, earlier: &Pat) -> bool {
    match (later, earlier) {
        (Pat::Wild(_), _) => true,
        (Pat::Ident(name), _) => name.subpat.is_none() && name.ident != "None",
        (Pat::TupleStruct(later), Pat::TupleStruct(earlier)) => {
            let name = |path: &syn::Path| path.segments.last().map(|last| last.ident.to_string());
            name(&later.path) == name(&earlier.path)
                && later.elems.len() == earlier.elems.len()
                && later.elems.iter().zip(&earlier.elems).all(|(later, earlier)| covers(later, earlier))
        }
        (Pat::Tuple(later), Pat::Tuple(earlier)) => {
            later.elems.len() == earlier.elems.len()
                && later.elems.iter().zip(&earlier.elems).all(|(later, earlier)| covers(later, earlier))
        }
        _ => bool_of(later).is_some() && bool_of(later) == bool_of(earlier),
    }
}

#[cfg(test)]
mod tests {
    use super::instrument;

    /// The checks of a function's body, as `kind: code`.
    fn checks(signature: &str, body: &str) -> Vec<String> {
        let (code, sites) = instrument("x.rs", &format!("fn f({signature} {{ {body} }}"), 0).unwrap();
        syn::parse_file(&code).unwrap_or_else(|error| panic!("{error}: {code}"));
        sites.iter().map(|site| format!("{}: {}", site.kind, site.text)).collect()
    }

    #[test]
    fn knows_the_shapes_of_checks() {
        for (signature, body, expected) in [
            ("a: u8) -> Result<u8, E>", "if a == 1 || b(a) { return Err(E); } Ok(a)", vec!["off: a == 1", "off: b(a)"]),
            ("a: u8) -> Result<u8, E>", "if a > 1 { return Err(E); } Ok(a)", vec!["off: a > 1", "off by one: a > 1"]),
            ("a: u8) -> Result<u8, E>", "if !(a == 1 && b) { return Err(E); } Ok(a)", vec!["off: a == 1", "off: b"]),
            (
                "a: u8) -> Result<u8, E>",
                "if let Some(x) = c(a) { return Err(E); } Ok(a)",
                vec!["off: let Some(x) = c(a)"],
            ),
            ("a: u8) -> Result<u8, E>", "if b { return Ok(a); } Err(E)", vec!["off: b", "unreached: Err(E)"]),
            (
                "a: u8) -> Result<u8, E>",
                "let Some(x) = a.b() else { return Err(E) }; Ok(x)",
                vec!["unreached: let Some(x) = a.b() else { return Err(E) };"],
            ),
            (
                "a: &[u8]) -> Result<u8, E>",
                "let [x] = a else { return Err(E) }; Ok(*x)",
                vec!["off: a", "unreached: let [x] = a else { return Err(E) };"],
            ),
            ("a: u8) -> Result<(), E>", "check(a)?; check_more(a)", vec!["off: check(a)?", "off: check_more(a)"]),
            ("a: bool) -> Result<u8, E>", "match a { true => Ok(1), false => Err(E) }", vec!["off: a"]),
            ("a: bool) -> Result<u8, E>", "match a { true => Err(E), false => Ok(1) }", vec!["off: a"]),
            ("a: u8) -> Result<(), E>", "match a { 1 => Err(E), _ => Ok(()) }", vec!["off: 1 => Err(E),"]),
            ("a: u8) -> Result<u8, E>", "match a { 1 => Ok(1), _ => Err(E) }", vec!["unreached: _ => Err(E)"]),
            ("a: u8) -> Result<u8, E>", "match a { x if x == 1 => Err(E), x => Ok(x) }", vec!["off: x == 1"]),
            (
                "a: u8) -> Result<u8, E>",
                "match b() { Some(_) => Err(E), None => Ok(a) }",
                vec!["off: Some(_) => Err(E),"],
            ),
            (
                "a: u8) -> Result<u8, E>",
                "match (n(), m()) { (Some(x), 0) => Ok(x), _ => Err(E) }",
                vec!["off: m()", "unreached: _ => Err(E)"],
            ),
            ("a: O) -> Result<u8, E>", "a.ok_or(E)", vec!["unreached: a.ok_or(E)"]),
            ("a: O) -> Option<u8>", "a.b()?.c()", vec!["unreached: a.b()"]),
            (
                "a: O) -> Result<u8, E>",
                "a.filter(|x| x != 0).ok_or(E)",
                vec!["unreached: a.filter(|x| x != 0).ok_or(E)", "off: x != 0"],
            ),
            ("a: u8) -> bool", "a == 1 || (b && !c)", vec!["off: b", "off: c"]),
            ("a: u8) -> u8", "if a == 1 { 2 } else { 3 }", vec![]),
            ("a: u8) -> R", "write_tx!(s, E, |tx| { if a == 1 { return Err(E); } Ok(2) })", vec!["off: a == 1"]),
            ("a: u8) -> R", "if a == 1 { return Ok(Err(E)); } Ok(Ok(a))", vec!["off: a == 1"]),
        ] {
            assert_eq!(checks(signature, body), expected, "{body}");
        }
    }

    #[test]
    fn tests_are_no_checks() {
        let source = "#[cfg(test)] mod tests { fn f() -> Result<(), E> { Err(E) } }";
        assert!(instrument("x.rs", source, 0).unwrap().1.is_empty());
    }

    #[test]
    fn lines_stay_where_they_are() {
        let source = "fn f(a: u8) -> Result<u8, E> {\n    if a > 1 {\n        return Err(E);\n    }\n    Ok(a)\n}\n";
        let (code, sites) = instrument("x.rs", source, 7).unwrap();
        assert_eq!(code.lines().count(), source.lines().count());
        assert_eq!(sites.iter().map(|site| (site.number, site.line)).collect::<Vec<_>>(), [(8, 2), (9, 2)]);
    }
}
