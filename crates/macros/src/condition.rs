//! `#[condition]`: a function that makes conditions in place of one that answers, and its
//! registration, by which texts may call it.
//!
//! The written tree has only the name and the arguments, as a text has: both are then the same
//! condition, and are looked up in the same way when a session is built. So is a text in the words of
//! a condition's phrase, which is checked here by the rules of the language.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use redengine_core::expr::{self, Statement, Template, parse};
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitStr, Path, ReturnType, Type, parse_quote};

use crate::options::{self, Argument, Arguments, Complaints, Length, once};
use crate::signature::{Arg, Function, Returned, find, has_reference, returned};

const OPTIONS: &[&str] = &["name", "poll", "crate"];

/// How a condition with the attribute is to be.
#[derive(Default)]
struct Options {
    /// The words by which texts may ask for it, beside its call.
    phrase: Option<LitStr>,
    name: Option<LitStr>,
    poll: Option<Length>,
    facade: Option<Path>,
}

/// Expands the attribute.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut complaints = Complaints::default();
    let options = Options::read(arguments, &mut complaints);
    let made = Function::read(item.clone(), "condition", &mut complaints)
        .and_then(|function| make(&function, &options, &mut complaints));
    let complaints = complaints.into_tokens();
    // What cannot be made stays as it is, so that it is not missed as well.
    let made = made.unwrap_or(item);
    quote!(#made #complaints)
}

impl Options {
    fn facade(&self, place: Span) -> TokenStream {
        options::facade(self.facade.as_ref(), place)
    }

    fn read(tokens: TokenStream, complaints: &mut Complaints) -> Self {
        let mut options = Self::default();
        let arguments = Arguments::read(tokens, complaints);
        if let Some(first) = arguments.first {
            match options::as_text(&first) {
                Some(phrase) => options.phrase = Some(phrase.clone()),
                None => options.take(Argument::Value(first), complaints),
            }
        }
        for argument in arguments.options {
            options.take(argument, complaints);
        }
        options
    }

    fn take(&mut self, argument: Argument, complaints: &mut Complaints) {
        let (name, value) = match argument {
            Argument::Named(name, value) => (name, value),
            Argument::Crate(keyword, path) => {
                return once(&mut self.facade, "crate", keyword.span, Some(path), complaints);
            }
            Argument::Flag(name) => return options::unknown(&name, OPTIONS, complaints),
            Argument::Value(Expr::Path(path)) if path.path.get_ident().is_some() => {
                let names = path.path.get_ident().into_iter();
                return names.for_each(|name| options::unknown(name, OPTIONS, complaints));
            }
            Argument::Value(value) if options::as_text(&value).is_some() => {
                return complaints.about(value, "a condition has one phrase, which comes first");
            }
            Argument::Value(value) => {
                let message = "the phrase of a condition is a text: `\"file {path} exists\"`";
                return complaints.about(value, message);
            }
        };
        match name.to_string().as_str() {
            "name" => {
                let value = options::text(&name, &value, "file_exists", complaints);
                once(&mut self.name, "name", name.span(), value, complaints);
            }
            "poll" => {
                let read = match options::length(&name, &value, complaints) {
                    Some(Length::Never) => {
                        complaints.about(&value, "a condition that is never asked has no answer");
                        None
                    }
                    read => read,
                };
                once(&mut self.poll, "poll", name.span(), read, complaints);
            }
            _ => options::unknown(&name, OPTIONS, complaints),
        }
    }
}

/// Makes what stands in place of the function; `None` if it cannot be.
fn make(
    function: &Function,
    options: &Options,
    complaints: &mut Complaints,
) -> Option<TokenStream> {
    let mut of_signature = Complaints::default();
    function.check("condition", &mut of_signature);
    let args = function.args("condition", &mut of_signature);
    for arg in &args {
        check_arg(arg, &mut of_signature);
    }
    check_output(function, &mut of_signature);
    let name = name(function, options, &mut of_signature);
    check_phrase(&args, options, &mut of_signature);
    if !of_signature.is_empty() {
        complaints.append(of_signature);
        return None;
    }
    let caller = caller(function, &args, &name, options);
    let registration = register(function, &args, &name, options);
    let cfgs = function.cfgs();
    let attrs = function.attrs.iter().filter(|attr| !attr.path().is_ident("doc"));
    let (sig, body) = (&function.sig, &function.body);
    Some(quote! {
        #caller
        #(#cfgs)*
        const _: () = {
            #(#attrs)* #sig #body
            #registration
        };
    })
}

/// Tells the name by which texts call it, and complains about one that they cannot.
fn name(function: &Function, options: &Options, complaints: &mut Complaints) -> String {
    let name = options.name.as_ref().map_or_else(|| function.name(), LitStr::value);
    let is_call = |expr| matches!(&expr, expr::Expr::Statement(Statement::Custom(custom), _) if *custom.name == *name);
    if !parse(&format!("{name}()")).is_ok_and(is_call) {
        let message = format!(
            "conditions cannot call `{name}(..)`: a name is one word, and none that the language \
             has a meaning for; give it another with `#[condition(name = \"..\")]`"
        );
        match &options.name {
            Some(name) => complaints.about(name, message),
            None => complaints.about(&function.sig.ident, message),
        }
    }
    name
}

/// Checks the phrase, as a session would, only earlier.
fn check_phrase(args: &[Arg], options: &Options, complaints: &mut Complaints) {
    let Some(phrase) = &options.phrase else { return };
    let params: Vec<&str> = args.iter().map(|arg| arg.name.as_str()).collect();
    if let Err(error) = Template::read(&phrase.value(), &params) {
        options::tell(&error, phrase, complaints);
    }
}

fn check_arg(arg: &Arg, complaints: &mut Complaints) {
    if arg.ident.is_none() {
        complaints.about(&arg.pat, "an argument of a condition is a plain name");
    }
    let allowed = "a condition takes `&str` or `String`, integers, `f64` and `bool`: what can be \
                   written in text";
    if let Some(token) = find(&arg.ty, "impl") {
        complaints.at(token, allowed);
    } else if let Type::Path(path) = &arg.ty
        && path.path.is_ident("f32")
    {
        complaints.about(&arg.ty, format!("{allowed}; make it an `f64`"));
    } else if has_reference(&arg.ty) && !is_str(&arg.ty) {
        complaints.about(&arg.ty, allowed);
    }
}

fn check_output(function: &Function, complaints: &mut Complaints) {
    let message = "a condition returns `bool`, or a `Result<bool, E>`";
    match (returned(&function.sig.output), &function.sig.output) {
        (Returned::Result(_), _) => {}
        (Returned::Plain(Type::Path(path)), _) if path.path.is_ident("bool") => {}
        (_, ReturnType::Type(_, ty)) => complaints.about(ty, message),
        (_, ReturnType::Default) => complaints.about(&function.sig, message),
    }
}

/// Tells whether a type is `&str`.
fn is_str(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference)
        if reference.lifetime.is_none()
            && reference.mutability.is_none()
            && matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str")))
}

/// Tells whether a type is `&str` or `String`.
fn is_text(ty: &Type) -> bool {
    is_str(ty)
        || matches!(ty, Type::Path(path)
        if path.path.segments.last().is_some_and(|last| last.ident == "String"))
}

/// The function that makes the condition.
fn caller(function: &Function, args: &[Arg], name: &str, options: &Options) -> TokenStream {
    let redengine = options.facade(Span::call_site());
    let cfgs = function.cfgs();
    let docs = function
        .attrs
        .iter()
        .filter(|attr| ["doc", "deprecated"].iter().any(|name| attr.path().is_ident(name)));
    let (vis, ident) = (&function.vis, &function.sig.ident);
    let inputs = args.iter().map(|arg| {
        let (pat, ty) = (&arg.ident, &arg.ty);
        if is_text(ty) {
            quote!(#pat: impl ::core::convert::Into<::std::string::String>)
        } else {
            quote!(#pat: #ty)
        }
    });
    let literals = args.iter().map(|arg| {
        let (pat, ty, redengine) = (&arg.ident, &arg.ty, options.facade(arg.ty.span()));
        if is_text(ty) {
            quote!(#redengine::expr::Literal::Text(::core::convert::Into::into(#pat)))
        } else {
            quote_spanned!(ty.span()=> <#ty as #redengine::session::FromLiteral>::to_literal(&#pat))
        }
    });
    quote! {
        #(#cfgs)*
        #(#docs)*
        #[must_use = "a condition does nothing by itself"]
        #[allow(clippy::used_underscore_binding)]
        #vis fn #ident(#(#inputs),*) -> #redengine::Expr {
            ::core::convert::From::from(#redengine::expr::Custom {
                name: ::core::convert::From::from(#name),
                args: ::std::vec![#(#literals),*],
                probe: ::core::option::Option::None,
            })
        }
    }
}

/// What texts are answered with.
fn register(function: &Function, args: &[Arg], name: &str, options: &Options) -> TokenStream {
    let redengine = options.facade(Span::call_site());
    let mixed = |name: &str| Ident::new(name, Span::mixed_site());
    let literals = mixed("literals");
    let values: Vec<Ident> = (0..args.len()).map(|n| mixed(&format!("arg{n}"))).collect();
    let names: Vec<&String> = args.iter().map(|arg| &arg.name).collect();
    let read = args.iter().zip(&values).enumerate().map(|(index, (arg, value))| {
        let (name, place) = (&arg.name, arg.ty.span());
        let string: Type = parse_quote!(::std::string::String);
        let ty = if is_str(&arg.ty) { &string } else { &arg.ty };
        let redengine = options.facade(place);
        let literal = quote_spanned!(place=> <#ty as #redengine::session::FromLiteral>);
        quote_spanned! {place=>
            let #value = #redengine::__private::read(
                #literals, #index, #name, #literal::EXPECTED, #literal::from_literal,
            )?;
        }
    });
    let probe = probe(function, args, &values, options);
    let poll = options.poll.as_ref().map(|poll| match poll {
        Length::Of(length) => quote!(.poll(#length)),
        Length::Never => quote!(),
    });
    let phrase = options.phrase.as_ref().map(|phrase| quote!(.phrase(#phrase)));
    let literals = if args.is_empty() { quote!(_) } else { quote!(#literals) };
    quote! {
        #redengine::__private::inventory::submit! {
            #redengine::session::RegisteredCondition(|| {
                #redengine::session::CustomCondition::new(#name, &[#(#names),*], |#literals| {
                    #(#read)*
                    ::core::result::Result::Ok(#probe #poll)
                })
                #phrase
            })
        }
    }
}

/// The question, given the arguments.
fn probe(function: &Function, args: &[Arg], values: &[Ident], options: &Options) -> TokenStream {
    let ident = &function.sig.ident;
    let here = ident.span();
    let passed = args
        .iter()
        .zip(values)
        .map(|(arg, value)| if is_str(&arg.ty) { quote!(&#value) } else { quote!(#value) });
    let wait = function.is_async().then(|| quote_spanned!(here=> .await));
    let call = quote_spanned!(here=> #ident(#(#passed),*) #wait);
    let answer = match returned(&function.sig.output) {
        Returned::Result(ty) => {
            let redengine = options.facade(ty.span());
            quote_spanned!(ty.span()=> #redengine::__private::answer::<#ty>(#call))
        }
        Returned::Plain(_) | Returned::Nothing | Returned::Never => {
            quote!(::core::result::Result::Ok(#call))
        }
    };
    // It is asked again and again, and each time the function takes its arguments.
    let copies = quote!(#(let #values = ::core::clone::Clone::clone(&#values);)*);
    let redengine = options.facade(here);
    if function.is_async() {
        quote_spanned! {here=>
            #redengine::probe::Probe::future(move || { #copies async move { #answer } })
        }
    } else {
        quote_spanned!(here=> #redengine::probe::Probe::blocking(move || { #copies #answer }))
    }
}
