//! `#[task]`: a unit type beside a function, and its registration.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use redengine_core::error::{did_you_mean, nearest};
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitStr, Path, ReturnType, Type};

use crate::options::{self, Argument, Arguments, Complaints, Length, once};
use crate::signature::{
    Arg, Function, Returned, borrowed, find, has_reference, returned, type_name,
};

const OPTIONS: &[&str] =
    &["name", "execution", "priority", "timeout", "disabled", "on", "end", "register", "crate"];

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
    on: Option<LitStr>,
    register: Option<bool>,
    facade: Option<Path>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Execution {
    Async,
    Thread,
}

/// Expands the attribute.
pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut complaints = Complaints::default();
    let options = Options::read(arguments, &mut complaints);
    let added = Function::read(item.clone(), "task", &mut complaints)
        .and_then(|function| add(&function, &options, &mut complaints));
    let complaints = complaints.into_tokens();
    quote!(#item #added #complaints)
}

impl Options {
    fn facade(&self, place: Span) -> TokenStream {
        options::facade(self.facade.as_ref(), place)
    }

    fn read(tokens: TokenStream, complaints: &mut Complaints) -> Self {
        let mut options = Self::default();
        let arguments = Arguments::read(tokens, complaints);
        let unreadable = !complaints.is_empty();
        let late = arguments.options.iter().any(|option| matches!(option, Argument::Value(_)));
        match &arguments.first {
            Some(first) => options.start = options::condition(first, complaints),
            None if unreadable || late => {}
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
            "on" => {
                let value = options::label(&name, &value, complaints);
                once(&mut self.on, "on", name.span(), value, complaints);
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
        Some(near) => did_you_mean(near),
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
    for arg in &args {
        check_type(&arg.ty, &mut of_signature);
    }
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
    let redengine = options.facade(Span::call_site());
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
    let redengine = options.facade(Span::call_site());
    let name = options.name.as_ref().map_or_else(|| function.name(), LitStr::value);
    let value = value(function, options);
    let body = body(function, args, options);
    let needs = needs(args, options);
    let start = options.start.clone().unwrap_or_else(|| quote!(false));
    let settings = settings(function, options);
    let decode = decode(function, options);
    let never = matches!(returned(&function.sig.output), Returned::Never)
        .then(|| quote!(, unreachable_code, clippy::diverging_sub_expression));
    quote! {
        #[automatically_derived]
        #[allow(deprecated #never)]
        impl #redengine::task::TaskType for #ty {
            type Output = #value;
            const NAME: &'static str = #name;
            fn task() -> #redengine::task::Task {
                #redengine::task::Task::of_body(#start, #body, #needs) #settings
            }
            #decode
        }
    }
}

/// Where errors about what it returns are shown.
fn place(function: &Function) -> Span {
    match &function.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => Span::call_site(),
    }
}

/// The type of what the body comes to.
fn outcome(function: &Function, options: &Options) -> TokenStream {
    let place = place(function);
    match returned(&function.sig.output) {
        Returned::Nothing | Returned::Never => quote_spanned!(place=> ()),
        Returned::Result(ty) => quote!(#ty),
        Returned::Plain(ty) => {
            let redengine = options.facade(place);
            quote_spanned!(place=> #redengine::task::Plain<#ty>)
        }
    }
}

/// The type of the value of a success.
fn value(function: &Function, options: &Options) -> TokenStream {
    let place = place(function);
    let (outcome, redengine) = (outcome(function, options), options.facade(place));
    quote_spanned!(place=> <#outcome as #redengine::task::IntoOutcome>::Value)
}

/// The body: each argument is made, then the function is called.
fn body(function: &Function, args: &[Arg], options: &Options) -> TokenStream {
    let ident = &function.sig.ident;
    let here = ident.span();
    let redengine = options.facade(here);
    let [cx, future] = ["cx", "future"].map(|name| Ident::new(name, Span::mixed_site()));
    let made = args.iter().map(|arg| {
        let (ty, name, redengine) = (&arg.ty, &arg.name, options.facade(arg.ty.span()));
        quote_spanned!(ty.span()=> <#ty as #redengine::param::FromRun>::from_run(&#cx, #name)?)
    });
    let call = quote_spanned!(here=> #ident(#(#made),*));
    let cx = if args.is_empty() { quote!(_) } else { quote!(#cx) };
    // A future that cannot be sent is shown at the function's name, and where it waits.
    if function.is_async() {
        let finish = finish(function, &quote_spanned!(here=> #future.await), options);
        quote_spanned! {here=>
            #redengine::task::Body::future(|#cx| {
                let #future = #call;
                ::core::result::Result::Ok(async move { #finish })
            })
        }
    } else {
        let finish = finish(function, &call, options);
        quote_spanned! {here=>
            #redengine::task::Body::blocking(|#cx| ::core::result::Result::Ok({ #finish }))
        }
    }
}

/// Turns what the function returned into what the body returns.
fn finish(function: &Function, returns: &TokenStream, options: &Options) -> TokenStream {
    let place = place(function);
    let (outcome, redengine) = (outcome(function, options), options.facade(place));
    let returned = match returned(&function.sig.output) {
        Returned::Plain(_) => quote_spanned!(place=> #redengine::task::Plain(#returns)),
        // It is a `()` to the compiler, since `!` cannot be named yet.
        Returned::Never => quote!({ let () = #returns; }),
        Returned::Nothing | Returned::Result(_) => quote!(#returns),
    };
    quote_spanned! {place=>
        #[allow(unused_imports)]
        use #redengine::__private::{EncodeViaNothing as _, EncodeViaSerde as _};
        #redengine::__private::finish::<#outcome>(#returned, |value| {
            (&&#redengine::__private::Json::<Self::Output>::new()).encode(value)
        })
    }
}

/// What the arguments need.
fn needs(args: &[Arg], options: &Options) -> TokenStream {
    let needs = args.iter().map(|arg| {
        let (ty, name, redengine) = (&arg.ty, &arg.name, options.facade(arg.ty.span()));
        quote_spanned!(ty.span()=> <#ty as #redengine::param::FromRun>::need(#name))
    });
    let redengine = options.facade(Span::call_site());
    quote!(#redengine::__private::needs([#(#needs),*]))
}

fn decode(function: &Function, options: &Options) -> Option<TokenStream> {
    // What is borrowed for ever cannot be read back, and asking serde for it does not compile.
    if let ReturnType::Type(_, ty) = &function.sig.output
        && has_reference(ty)
    {
        return None;
    }
    let place = place(function);
    let redengine = options.facade(place);
    Some(quote_spanned! {place=>
        fn decode(json: &str) -> ::core::option::Option<Self::Output> {
            #[allow(unused_imports)]
            use #redengine::__private::{DecodeViaNothing as _, DecodeViaSerde as _};
            (&&#redengine::__private::Json::<Self::Output>::new()).decode(json)
        }
    })
}

/// The calls that set what the options say.
fn settings(function: &Function, options: &Options) -> TokenStream {
    let function = function.name();
    let name = options.name.as_ref();
    let name = name.map_or_else(|| quote!(.function(#function)), |name| quote!(.named(#name)));
    let end = options.end.as_ref().map(|end| quote!(.end(#end)));
    let execution = options.execution.as_ref().map(|(execution, _)| {
        let redengine = options.facade(Span::call_site());
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
    let on = options.on.as_ref().map(|label| quote!(.on(#label)));
    quote!(#name #end #execution #priority #timeout #disabled #on)
}
