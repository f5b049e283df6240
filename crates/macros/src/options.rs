//! What stands in the parentheses of an attribute: conditions and `name = value` options.
//!
//! Reading never stops at the first mistake: what is wrong is told together, and what can be read
//! is used, so that one typing error does not make a dozen others.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use redengine_core::error::nearest;
use redengine_core::expr::{ParseError, parse};
use redengine_core::time::duration;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Lit, LitStr, Path, Token};

/// All that is wrong with one use of a macro.
#[derive(Default)]
pub(crate) struct Complaints(Vec<syn::Error>);

impl Complaints {
    /// Complains about some tokens.
    pub(crate) fn about(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new_spanned(tokens, message));
    }

    /// Complains about a place.
    pub(crate) fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new(span, message));
    }

    /// Adds those of another.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// Tells whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Turns them into errors of the compiler.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }
}

/// An attribute's arguments as they stand there.
#[derive(Default)]
pub(crate) struct Arguments {
    /// `#[task("daily")]`: what has no name, and is to come first.
    pub(crate) first: Option<Expr>,
    /// The others.
    pub(crate) options: Vec<Argument>,
}

/// One argument.
pub(crate) enum Argument {
    /// `name = value`
    Named(Ident, Expr),
    /// `crate = path`
    Crate(Token![crate], Path),
    /// `disabled`
    Flag(Ident),
    /// A value without a name that does not come first.
    Value(Expr),
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            let keyword = input.parse()?;
            input.parse::<Token![=]>()?;
            return Ok(Self::Crate(keyword, input.call(Path::parse_mod_style)?));
        }
        if input.peek(Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
            let name = input.parse()?;
            input.parse::<Token![=]>()?;
            return Ok(Self::Named(name, input.parse()?));
        }
        match input.parse()? {
            Expr::Path(path) if path.path.get_ident().is_some_and(|name| name == "disabled") => {
                // OK because the guard has seen it.
                Ok(Self::Flag(path.path.require_ident()?.clone()))
            }
            value => Ok(Self::Value(value)),
        }
    }
}

impl Arguments {
    /// Reads them; what cannot be read is none.
    pub(crate) fn read(tokens: TokenStream, complaints: &mut Complaints) -> Self {
        let parser = Punctuated::<Argument, Token![,]>::parse_terminated;
        let arguments = match syn::parse::Parser::parse2(parser, tokens) {
            Ok(arguments) => arguments,
            Err(error) => {
                complaints.0.push(error);
                return Self::default();
            }
        };
        let mut read = Self::default();
        for (n, argument) in arguments.into_iter().enumerate() {
            match argument {
                Argument::Value(value) if n == 0 => read.first = Some(value),
                other => read.options.push(other),
            }
        }
        read
    }
}

/// The path of the facade, `::redengine` if nothing else is said; as if written at a place, since an
/// error about a path is shown where the path begins.
pub(crate) fn facade(path: Option<&Path>, place: Span) -> TokenStream {
    path.map_or_else(|| quote_spanned!(place=> ::redengine), |path| quote!(#path))
}

/// Takes a value, or complains that there is one already.
pub(crate) fn once<T>(
    slot: &mut Option<T>,
    name: &str,
    place: Span,
    value: Option<T>,
    complaints: &mut Complaints,
) {
    if slot.is_some() {
        complaints.at(place, format!("`{name}` is given twice"));
    } else {
        *slot = value;
    }
}

/// Complains about an option that does not exist.
pub(crate) fn unknown(name: &Ident, known: &[&str], complaints: &mut Complaints) {
    let help = match nearest(&name.to_string(), known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; there are `{}`", known.join("`, `")),
    };
    complaints.about(name, format!("unknown option `{name}`{help}"));
}

/// Reads a text, or complains.
pub(crate) fn text(
    name: &Ident,
    value: &Expr,
    example: &str,
    complaints: &mut Complaints,
) -> Option<LitStr> {
    if let Some(text) = as_text(value) {
        return Some(text.clone());
    }
    complaints.about(value, format!("`{name}` is a text: `{name} = \"{example}\"`"));
    None
}

/// Reads a name, or complains.
pub(crate) fn task_name(name: &Ident, value: &Expr, complaints: &mut Complaints) -> Option<LitStr> {
    let text = text(name, value, "fetch prices", complaints)?;
    // As a session would say, only earlier (session/registry.rs).
    let wrong = match text.value() {
        value if value.trim().is_empty() => "a task's name cannot be empty",
        value if value.contains(char::is_control) => {
            "a task's name cannot have line breaks or other control characters"
        }
        _ => return Some(text),
    };
    complaints.about(text, wrong);
    None
}

/// Reads the label that sessions must have, or complains.
pub(crate) fn label(name: &Ident, value: &Expr, complaints: &mut Complaints) -> Option<LitStr> {
    let label = text(name, value, "gpu", complaints)?;
    if label.value().trim().is_empty() {
        complaints.about(label, "a label cannot be empty");
        return None;
    }
    Some(label)
}

/// Reads a yes or no, or complains.
pub(crate) fn yes_or_no(name: &Ident, value: &Expr, complaints: &mut Complaints) -> Option<bool> {
    if let Some(Lit::Bool(value)) = literal(value) {
        return Some(value.value);
    }
    complaints.about(value, format!("`{name}` is `true` or `false`"));
    None
}

/// Reads a whole number or an expression that makes one, or complains.
pub(crate) fn number(name: &Ident, value: &Expr, complaints: &mut Complaints) -> Option<Expr> {
    let digits = match value {
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => &*unary.expr,
        other => other,
    };
    match literal(digits) {
        None => return Some(value.clone()),
        Some(Lit::Int(_)) => {
            let text = value.to_token_stream().to_string().replace([' ', '_'], "");
            if text.trim_end_matches("i32").parse::<i32>().is_ok() || !text.contains(is_decimal) {
                return Some(value.clone());
            }
            complaints.about(
                value,
                format!("`{name}` is a whole number from {} to {}", i32::MIN, i32::MAX),
            );
        }
        Some(_) => complaints.about(value, format!("`{name}` is a whole number: `{name} = 10`")),
    }
    None
}

fn is_decimal(c: char) -> bool {
    c.is_ascii_digit()
}

/// A duration, or none at all.
pub(crate) enum Length {
    /// A [`std::time::Duration`].
    Of(TokenStream),
    /// `"never"`
    Never,
}

/// Reads a duration as a text or an expression, or complains.
pub(crate) fn length(name: &Ident, value: &Expr, complaints: &mut Complaints) -> Option<Length> {
    let text = match literal(value) {
        None => return Some(Length::Of(quote!(#value))),
        Some(Lit::Str(text)) => text,
        Some(_) => {
            complaints
                .about(value, format!("`{name}` is a duration with its unit: `{name} = \"10 s\"`"));
            return None;
        }
    };
    if text.value() == "never" {
        return Some(Length::Never);
    }
    match duration::parse(&text.value()) {
        Ok(length) => {
            let (seconds, nanos) = (length.as_secs(), length.subsec_nanos());
            Some(Length::Of(quote!(::core::time::Duration::new(#seconds, #nanos))))
        }
        Err(error) => {
            let problem = redengine_core::expr::Problem {
                span: redengine_core::expr::Span { start: error.span.start, end: error.span.end },
                message: error.message,
                help: error.help,
            };
            let error = ParseError { text: text.value(), problems: vec![problem] };
            tell(&error, text, complaints);
            None
        }
    }
}

/// Reads a condition: a text, which is checked, or any expression that makes one.
pub(crate) fn condition(value: &Expr, complaints: &mut Complaints) -> Option<TokenStream> {
    match literal(value) {
        None | Some(Lit::Bool(_)) => Some(quote!(#value)),
        Some(Lit::Str(text)) => match parse(&text.value()) {
            Ok(_) => Some(quote!(#text)),
            Err(error) => {
                tell(&error, text, complaints);
                None
            }
        },
        Some(_) => {
            complaints.about(
                value,
                "a condition is a text like `\"every 10 s\"`, or an expression like \
                 `daily().after(\"07:00\")`",
            );
            None
        }
    }
}

/// Tells the text that an expression is.
pub(crate) fn as_text(value: &Expr) -> Option<&LitStr> {
    match literal(value) {
        Some(Lit::Str(text)) => Some(text),
        _ => None,
    }
}

/// Complains about a text, once for each thing that is wrong with it.
pub(crate) fn tell(error: &ParseError, text: &LitStr, complaints: &mut Complaints) {
    for problem in &error.problems {
        let one = ParseError { text: error.text.clone(), problems: vec![problem.clone()] };
        let message = one.to_string();
        // The compiler writes the word itself.
        complaints.at(text.span(), message.strip_prefix("error: ").unwrap_or(&message));
    }
}

/// Sees through the invisible parentheses that `macro_rules!` puts around its arguments.
fn literal(value: &Expr) -> Option<&Lit> {
    match value {
        Expr::Lit(literal) => Some(&literal.lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}
