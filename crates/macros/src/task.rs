//! `#[task]`: a unit type beside a function, and its registration.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use redengine_core::error::nearest;
use syn::{Expr, Ident, LitStr, Path, ReturnType, Type};

use crate::options::{self, Argument, Arguments, Complaints, Length, at, once};
use crate::signature::{
    Arg, Function, Returned, borrowed, find, has_reference, returned, type_name,
};

const OPTIONS: &[&str] =
    &["name", "execution", "priority", "timeout", "disabled", "end", "register", "crate"];

/// How a task with the attribute is to be.
#[derive(Default)]
struct Options {
    start: Option<TokenStream>,
    end: Option<TokenStream>,
    name: Option<LitStr>,
    execution: Option<(Execution, LitStr)>,
    priority: Option<Expr>,
    timeout: Option<Length>,
    disabled: Option<bool>,
    register: Option<bool>,
    facade: Option<Path>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Execution {
    Async,
    Thread,
}

/// Expands the attribute.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut complaints = Complaints::default();
    let options = Options::read(arguments, &mut complaints);
    let added = Function::read(item.clone(), "task", &mut complaints)
        .and_then(|function| add(&function, &options, &mut complaints));
    let complaints = complaints.into_tokens();
    quote!(#item #added #complaints)
}

impl Options {
    fn read(tokens: TokenStream, complaints: &mut Complaints) -> Self {
        let mut options = Self::default();
        let arguments = Arguments::read(tokens, complaints);
        let unreadable = !complaints.is_empty();
        match &arguments.first {
            Some(first) => options.start = options::condition(first, complaints),
            None if unreadable => {}
            None => complaints.at(
                Span::call_site(),
                "`#[task]` needs to know when: `#[task(\"every 10 s\")]`; a task that is started \
                 only on request has `#[task(\"false\")]`",
            ),
        }
        for argument in arguments.options {
            options.take(argument, arguments.first.is_some(), complaints);
        }
        options
    }

    fn take(&mut self, argument: Argument, has_first: bool, complaints: &mut Complaints) {
        let (name, value) = match argument {
            Argument::Named(name, value) => (name, value),
            Argument::Crate(keyword, path) => {
                return once(&mut self.facade, "crate", keyword.span, Some(path), complaints);
            }
            Argument::Flag(name) => {
                return once(&mut self.disabled, "disabled", name.span(), Some(true), complaints);
            }
            Argument::Value(Expr::Path(path)) if path.path.get_ident().is_some() => {
                return path.path.get_ident().into_iter().for_each(|name| {
                    options::unknown(name, OPTIONS, complaints);
                });
            }
            Argument::Value(value) if has_first => {
                let message = "a task has one condition; join them with `&` or `|`";
                return complaints.about(value, message);
            }
            Argument::Value(value) => return complaints.about(value, "the condition comes first"),
        };
        match name.to_string().as_str() {
            "name" => {
                let value = options::task_name(&name, &value, complaints);
                once(&mut self.name, "name", name.span(), value, complaints);
            }
            "execution" => {
                let value = execution(&name, &value, complaints);
                once(&mut self.execution, "execution", name.span(), value, complaints);
            }
            "priority" => {
                let value = options::number(&name, &value, complaints);
                once(&mut self.priority, "priority", name.span(), value, complaints);
            }
            "timeout" => {
                let value = options::length(&name, &value, complaints);
                once(&mut self.timeout, "timeout", name.span(), value, complaints);
            }
            "disabled" => {
                let value = options::yes_or_no(&name, &value, complaints);
                once(&mut self.disabled, "disabled", name.span(), value, complaints);
            }
            "end" => {
                let value = options::condition(&value, complaints);
                once(&mut self.end, "end", name.span(), value, complaints);
            }
            "register" => {
                let value = options::yes_or_no(&name, &value, complaints);
                once(&mut self.register, "register", name.span(), value, complaints);
            }
            _ => options::unknown(&name, OPTIONS, complaints),
        }
    }
}

fn execution(
    name: &Ident,
    value: &Expr,
    complaints: &mut Complaints,
) -> Option<(Execution, LitStr)> {
    let text = options::text(name, value, "thread", complaints)?;
    let word = text.value();
    match word.as_str() {
        "async" => return Some((Execution::Async, text)),
        "thread" => return Some((Execution::Thread, text)),
        _ => {}
    }
    let help = match nearest(&word, ["async", "thread"]) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "there are `async` and `thread`".to_owned(),
    };
    complaints.about(text, format!("unknown execution `{word}`; {help}"));
    None
}

/// Makes what stands beside the function; `None` if it cannot be.
fn add(function: &Function, options: &Options, complaints: &mut Complaints) -> Option<TokenStream> {
    let mut of_signature = Complaints::default();
    function.check("task", &mut of_signature);
    let args = function.args("task", &mut of_signature);
    args.iter().for_each(|arg| check_type(&arg.ty, &mut of_signature));
    let fits = of_signature.is_empty();
    complaints.append(of_signature);
    if let Some((Execution::Async, text)) = &options.execution
        && !function.is_async()
    {
        let message = "a plain `fn` blocks: make it `async fn`, or leave out `execution`";
        complaints.about(text, message);
    }
    let Some(ty) = type_name(&function.sig.ident) else {
        let message = "the type of a task is named after its function, and this name gives none";
        complaints.about(&function.sig.ident, message);
        return None;
    };
    let vis = &function.vis;
    let cfgs = function.cfgs();
    let doc = format!("The task `{}`.", function.name());
    // The type is there even if it stands for no task: others may name it.
    let unit = quote! {
        #(#cfgs)*
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #[allow(non_camel_case_types)]
        #vis struct #ty;
    };
    if !fits {
        return Some(unit);
    }
    let implementation = implement(function, &ty, &args, options);
    let registration = (options.register != Some(false)).then(|| register(&ty, options));
    Some(quote! {
        #unit
        #(#cfgs)*
        const _: () = {
            #implementation
            #registration
        };
    })
}

/// Complains about types that cannot be those of arguments, whatever they implement.
fn check_type(ty: &Type, complaints: &mut Complaints) {
    if let Some(token) = find(ty, "impl") {
        complaints.at(token, "an argument of a task has a type with a name, not `impl ..`");
    } else if borrowed(ty).is_some() {
        let message = "an argument of a task cannot be borrowed: it is made for each run; what is \
                       shared is a `Param<Arc<..>>`";
        complaints.about(ty, message);
    }
}

fn register(ty: &Ident, options: &Options) -> TokenStream {
    let redengine = options::facade(options.facade.as_ref());
    quote! {
        #redengine::__private::inventory::submit! {
            #redengine::session::Registered::new(
                <#ty as #redengine::task::TaskType>::task,
                ::core::file!(),
                ::core::line!(),
            )
        }
    }
}

fn implement(function: &Function, ty: &Ident, args: &[Arg], options: &Options) -> TokenStream {
    let redengine = options::facade(options.facade.as_ref());
    let name = options.name.as_ref().map_or_else(|| function.name(), LitStr::value);
    let outcome = outcome(function, &redengine);
    let body = body(function, args, &redengine);
    let needs = needs(args, &redengine);
    let start = options.start.clone().unwrap_or_else(|| quote!(false));
    let settings = settings(options, function, &redengine);
    let decode = decode(function, &redengine);
    let never = matches!(returned(&function.sig.output), Returned::Never)
        .then(|| quote!(, unreachable_code));
    quote! {
        #[automatically_derived]
        #[allow(deprecated #never)]
        impl #redengine::task::TaskType for #ty {
            type Output = <#outcome as #redengine::task::IntoOutcome>::Value;
            const NAME: &'static str = #name;
            fn task() -> #redengine::task::Task {
                #redengine::task::Task::of_body(#start, #body, #needs) #settings
            }
            #decode
        }
    }
}

/// The type of what the body comes to.
fn outcome(function: &Function, redengine: &TokenStream) -> TokenStream {
    match returned(&function.sig.output) {
        Returned::Nothing | Returned::Never => quote!(()),
        Returned::Result(ty) => quote!(#ty),
        Returned::Plain(ty) => quote_spanned!(at(&ty)=> #redengine::task::Plain<#ty>),
    }
}

/// The body: each argument is made, then the function is called.
fn body(function: &Function, args: &[Arg], redengine: &TokenStream) -> TokenStream {
    let outcome = outcome(function, redengine);
    let private = quote!(#redengine::__private);
    let cx = Ident::new("cx", Span::mixed_site());
    let values: Vec<Ident> =
        (0..args.len()).map(|n| Ident::new(&format!("arg{n}"), Span::mixed_site())).collect();
    let made = args.iter().zip(&values).map(|(arg, value)| {
        let (ty, name) = (&arg.ty, &arg.name);
        let make = quote_spanned!(at(ty)=> <#ty as #redengine::param::FromRun>::from_run);
        quote!(let #value = #make(&#cx, #name)?;)
    });
    let ident = &function.sig.ident;
    let wait = function.is_async().then(|| quote!(.await));
    let call = quote!(#ident(#(#values),*) #wait);
    let call = match returned(&function.sig.output) {
        Returned::Plain(_) => quote!(#redengine::task::Plain(#call)),
        // It is a `()` to the compiler, since `!` cannot be named yet.
        Returned::Never => quote!({ let () = #call; }),
        Returned::Nothing | Returned::Result(_) => call,
    };
    let finish = quote! {
        #[allow(unused_imports)]
        use #private::{EncodeViaNothing as _, EncodeViaSerde as _};
        #private::finish::<#outcome>(#call, |value| (&&#private::Json::<Self::Output>::new()).encode(value))
    };
    let cx = if args.is_empty() { quote!(_) } else { quote!(#cx) };
    if function.is_async() {
        // A future that cannot be sent is shown at the function's name, and where it waits.
        let start = quote_spanned!(at(ident)=> #redengine::task::Body::future);
        let future = quote_spanned!(at(ident)=> async move { #finish });
        quote!(#start(|#cx| { #(#made)* ::core::result::Result::Ok(#future) }))
    } else {
        quote! {
            #redengine::task::Body::blocking(
                |#cx| { #(#made)* ::core::result::Result::Ok({ #finish }) }
            )
        }
    }
}

/// What the arguments need.
fn needs(args: &[Arg], redengine: &TokenStream) -> TokenStream {
    let needs = args.iter().map(|arg| {
        let (ty, name) = (&arg.ty, &arg.name);
        let need = quote_spanned!(at(ty)=> <#ty as #redengine::param::FromRun>::need);
        quote!(.chain(#need(#name)))
    });
    quote!(::core::iter::empty() #(#needs)* .collect())
}

fn decode(function: &Function, redengine: &TokenStream) -> Option<TokenStream> {
    // What is borrowed for ever cannot be read back, and asking serde for it does not compile.
    if let ReturnType::Type(_, ty) = &function.sig.output
        && has_reference(ty)
    {
        return None;
    }
    let private = quote!(#redengine::__private);
    Some(quote! {
        fn decode(json: &str) -> ::core::option::Option<Self::Output> {
            #[allow(unused_imports)]
            use #private::{DecodeViaNothing as _, DecodeViaSerde as _};
            (&&#private::Json::<Self::Output>::new()).decode(json)
        }
    })
}

/// The calls that set what the options say.
fn settings(options: &Options, function: &Function, redengine: &TokenStream) -> TokenStream {
    let name = match &options.name {
        Some(name) => quote!(.named(#name)),
        None => {
            let name = function.name();
            quote!(.function(#name))
        }
    };
    let end = options.end.as_ref().map(|end| quote!(.end(#end)));
    let execution = options.execution.as_ref().map(|(execution, _)| {
        let execution = match execution {
            Execution::Async => quote!(Async),
            Execution::Thread => quote!(Thread),
        };
        quote!(.execution(#redengine::task::Execution::#execution))
    });
    let priority = options.priority.as_ref().map(|priority| quote!(.priority(#priority)));
    let timeout = options.timeout.as_ref().map(|timeout| match timeout {
        Length::Of(length) => quote!(.timeout(#length)),
        Length::Never => quote!(.no_timeout()),
    });
    let disabled = (options.disabled == Some(true)).then(|| quote!(.disabled()));
    quote!(#name #end #execution #priority #timeout #disabled)
}
