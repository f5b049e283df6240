//! The function under an attribute: what its signature says, and what is wrong with it.
//!
//! The body is not looked at: it may be unfinished, and is passed on as it is.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, FnArg, GenericParam, Ident, Pat, ReturnType, Signature, Type, Visibility};

use crate::options::Complaints;

/// A function whose body is anything.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
            body: input.parse()?,
        })
    }
}

/// An argument of a function.
pub(crate) struct Arg {
    /// Its name; empty if the pattern has none.
    pub(crate) name: String,
    /// The identifier, if it is nothing more.
    pub(crate) ident: Option<Ident>,
    pub(crate) pat: Pat,
    pub(crate) ty: Type,
}

impl Function {
    /// Reads the item under an attribute.
    pub(crate) fn read(
        item: TokenStream,
        attribute: &str,
        complaints: &mut Complaints,
    ) -> Option<Self> {
        let function: Self = match syn::parse2(item.clone()) {
            Ok(function) => function,
            Err(error) => {
                match syn::parse2::<syn::Item>(item) {
                    Ok(syn::Item::Fn(_)) | Err(_) => complaints.at(error.span(), error),
                    Ok(other) => complaints
                        .about(first_line(&other), format!("`#[{attribute}]` goes on a function")),
                }
                return None;
            }
        };
        if matches!(function.body.clone().into_iter().next(), Some(TokenTree::Punct(_)) | None) {
            complaints.about(&function.sig, format!("the {attribute} has no body"));
            return None;
        }
        Some(function)
    }

    /// Tells the name without `r#`.
    pub(crate) fn name(&self) -> String {
        self.sig.ident.unraw().to_string()
    }

    /// Tells the attributes that decide whether it exists at all.
    pub(crate) fn cfgs(&self) -> Vec<&Attribute> {
        self.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect()
    }

    /// Tells whether it is async.
    pub(crate) fn is_async(&self) -> bool {
        self.sig.asyncness.is_some()
    }

    /// Complains about what neither a task nor a condition can be.
    pub(crate) fn check(&self, what: &str, complaints: &mut Complaints) {
        let sig = &self.sig;
        let kind = |param: &GenericParam| match param {
            GenericParam::Lifetime(_) => "lifetime parameters",
            GenericParam::Type(_) => "type parameters",
            GenericParam::Const(_) => "const parameters",
        };
        let mut kinds: Vec<&str> = sig.generics.params.iter().map(kind).collect();
        kinds.dedup();
        if !kinds.is_empty() {
            let kinds = kinds.join(" and ");
            complaints.about(
                &sig.generics,
                format!("a {what} has no {kinds}: nobody is there to choose them"),
            );
        }
        if let syn::Safety::Unsafe(token) = &sig.safety {
            complaints.about(
                token,
                format!("a {what} cannot be `unsafe`: the session cannot keep its promises"),
            );
        }
        if let Some(abi) = &sig.abi {
            complaints.about(abi, format!("a {what} is a Rust function, not an `extern` one"));
        }
        if let Some(variadic) = &sig.variadic {
            complaints.about(variadic, format!("a {what} has a fixed number of arguments"));
        }
        if let ReturnType::Type(_, ty) = &sig.output
            && let Some(token) = find(ty, "impl")
        {
            complaints.at(token, format!("a {what} returns a type with a name, not `impl ..`"));
        }
    }

    /// Tells the arguments, and complains about those that neither a task nor a condition can have.
    pub(crate) fn args(&self, what: &str, complaints: &mut Complaints) -> Vec<Arg> {
        let mut args = Vec::new();
        for input in &self.sig.inputs {
            match input {
                FnArg::Receiver(receiver) => complaints.about(
                    receiver,
                    format!("a {what} is a free function: there is no `self` when it is called"),
                ),
                FnArg::Typed(input) => {
                    if let Some(attr) = input.attrs.iter().find(|attr| attr.path().is_ident("cfg"))
                    {
                        complaints.about(
                            attr,
                            format!("an argument of a {what} cannot have `#[cfg]`; put it on the function"),
                        );
                    }
                    let (pat, ty) = ((*input.pat).clone(), (*input.ty).clone());
                    let name = pattern_name(&pat).unwrap_or_default();
                    let ident = match &pat {
                        Pat::Ident(ident) => Some(ident.ident.clone()),
                        _ => None,
                    };
                    args.push(Arg { name, ident, pat, ty });
                }
            }
        }
        args
    }
}

/// The name in a pattern: `limit`, `Param(limit)`, `Param(mut limit)`, `_limit`.
fn pattern_name(pat: &Pat) -> Option<String> {
    match pat {
        Pat::Ident(ident) => {
            let name = ident.ident.unraw().to_string();
            // The underscore is for the compiler: the argument is not used.
            Some(name.trim_start_matches('_').to_owned())
        }
        Pat::TupleStruct(tuple) if tuple.elems.len() == 1 => pattern_name(&tuple.elems[0]),
        Pat::Paren(paren) => pattern_name(&paren.pat),
        _ => None,
    }
}

/// What a function returns.
pub(crate) enum Returned {
    /// Nothing.
    Nothing,
    /// It never does.
    Never,
    /// A type that is called a result.
    Result(Type),
    /// Another type.
    Plain(Type),
}

/// Tells what a function returns.
pub(crate) fn returned(output: &ReturnType) -> Returned {
    let ReturnType::Type(_, ty) = output else { return Returned::Nothing };
    let mut inner: &Type = ty;
    loop {
        inner = match inner {
            Type::Paren(paren) => &paren.elem,
            Type::Group(group) => &group.elem,
            _ => break,
        };
    }
    match inner {
        Type::Tuple(tuple) if tuple.elems.is_empty() => Returned::Nothing,
        Type::Never(_) => Returned::Never,
        Type::Path(path)
            if path
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident.to_string().ends_with("Result")) =>
        {
            Returned::Result((**ty).clone())
        }
        _ => Returned::Plain((**ty).clone()),
    }
}

/// Finds something borrowed for less than `'static` in a type.
pub(crate) fn borrowed(ty: &Type) -> Option<Span> {
    let tokens = flat(ty.to_token_stream());
    // Function pointers and trait objects bring their own lifetimes.
    if tokens.iter().any(|token| {
        matches!(token, TokenTree::Ident(word)
            if ["fn", "Fn", "FnMut", "FnOnce", "for"].iter().any(|name| word == name))
    }) {
        return None;
    }
    let is_punct = |token: Option<&TokenTree>, c| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == c);
    let is_static =
        |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Ident(i)) if i == "static");
    (0..tokens.len()).find_map(|n| {
        let found = is_punct(tokens.get(n), '&') && !is_punct(tokens.get(n + 1), '\'')
            || is_punct(tokens.get(n), '\'') && !is_static(tokens.get(n + 1));
        found.then(|| tokens[n].span())
    })
}

/// Tells whether anything in a type is borrowed, be it for ever.
pub(crate) fn has_reference(ty: &Type) -> bool {
    flat(ty.to_token_stream())
        .iter()
        .any(|token| matches!(token, TokenTree::Punct(p) if ['&', '\''].contains(&p.as_char())))
}

/// Finds a word in a type.
pub(crate) fn find(ty: &Type, word: &str) -> Option<Span> {
    flat(ty.to_token_stream())
        .iter()
        .find(|token| matches!(token, TokenTree::Ident(ident) if ident == word))
        .map(TokenTree::span)
}

fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) => flat(group.stream()),
            other => vec![other],
        })
        .collect()
}

/// The part of an item that is worth pointing at.
fn first_line(item: &syn::Item) -> TokenStream {
    let tokens = item.to_token_stream().into_iter();
    let head = tokens.take_while(|token| !matches!(token, TokenTree::Group(_)));
    let head: TokenStream = head.collect();
    if head.is_empty() { quote!(#item) } else { head }
}

/// Makes the name of a task's type of that of its function: `fetch_prices` is `FetchPrices`.
pub(crate) fn type_name(function: &Ident) -> Option<Ident> {
    let camel = camel_case(&function.unraw().to_string());
    (!camel.is_empty()).then(|| Ident::new(&camel, function.span()))
}

fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    for word in name.split('_') {
        let mut letters = word.chars();
        camel.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        camel.push_str(letters.as_str());
    }
    if camel.starts_with(|c: char| c.is_ascii_digit()) {
        camel.insert(0, '_');
    }
    // The only upper-case word that the language keeps for itself.
    if camel == "Self" {
        camel.push('_');
    }
    camel
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_type_is_named_after_its_function() {
        for (function, ty) in [
            ("fetch", "Fetch"),
            ("fetch_prices", "FetchPrices"),
            ("_fetch__prices_", "FetchPrices"),
            ("fetch2", "Fetch2"),
            ("fetch_2_prices", "Fetch2Prices"),
            ("_2nd", "_2nd"),
            ("fetchPrices", "FetchPrices"),
            ("self_", "Self_"),
            ("über_prüfen", "ÜberPrüfen"),
            ("__", ""),
        ] {
            assert_eq!(camel_case(function), ty, "{function}");
        }
    }

    #[test]
    fn a_raw_name_is_named_without_its_mark() {
        let name: Ident = parse_quote!(r#type);
        assert_eq!(type_name(&name).unwrap(), "Type");
    }

    #[test]
    fn a_name_is_found_in_a_pattern() {
        let name = |pat: Pat| pattern_name(&pat);
        let parse =
            |text: &str| syn::parse::Parser::parse_str(Pat::parse_single, text).expect("a pattern");
        assert_eq!(name(parse("limit")).as_deref(), Some("limit"));
        assert_eq!(name(parse("mut limit")).as_deref(), Some("limit"));
        assert_eq!(name(parse("_limit")).as_deref(), Some("limit"));
        assert_eq!(name(parse("r#type")).as_deref(), Some("type"));
        assert_eq!(name(parse("Param(limit)")).as_deref(), Some("limit"));
        assert_eq!(name(parse("redengine::Param(mut limit)")).as_deref(), Some("limit"));
        assert_eq!(name(parse("Param((low, high))")), None);
        assert_eq!(name(parse("_")), None);
    }

    #[test]
    fn what_is_borrowed_is_found_unless_it_is_for_ever() {
        let is_borrowed = |ty: Type| borrowed(&ty).is_some();
        assert!(is_borrowed(parse_quote!(&str)));
        assert!(is_borrowed(parse_quote!(Param<&mut Db>)));
        assert!(is_borrowed(parse_quote!(&'a str)));
        assert!(is_borrowed(parse_quote!(Param<Cow<'_, str>>)));
        assert!(!is_borrowed(parse_quote!(Param<&'static str>)));
        assert!(!is_borrowed(parse_quote!(Param<fn(&str) -> &str>)));
        assert!(!is_borrowed(parse_quote!(Param<Arc<dyn for<'a> Fn(&'a str)>>)));
        assert!(!is_borrowed(parse_quote!(Param<[u8; 4]>)));
    }

    #[test]
    fn a_result_is_known_by_its_name() {
        let is_result = |output: ReturnType| matches!(returned(&output), Returned::Result(_));
        assert!(is_result(parse_quote!(-> Result<u32, Error>)));
        assert!(is_result(parse_quote!(-> std::io::Result<()>)));
        assert!(is_result(parse_quote!(-> TaskResult)));
        assert!(!is_result(parse_quote!(-> Results)));
        assert!(!is_result(parse_quote!(-> Option<u32>)));
        assert!(matches!(returned(&parse_quote!(-> ())), Returned::Nothing));
        assert!(matches!(returned(&ReturnType::Default), Returned::Nothing));
    }
}
