//! Named values.

use std::any::{Any, TypeId, type_name};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::error::nearest;

/// Named values of any types: the session's parameters, or those of one run.
///
/// ```
/// use redengine_core::param::Params;
///
/// let params = Params::new().with("limit", 5_usize).with("env", "prod");
/// assert_eq!(params.text("env"), Some("prod"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Params(HashMap<Arc<str>, ParamValue>);

/// The value of a parameter.
#[derive(Clone)]
pub struct ParamValue {
    value: Arc<dyn Any + Send + Sync>,
    type_name: &'static str,
    text: Option<Arc<str>>,
}

impl ParamValue {
    /// Keeps a value.
    pub fn new<T: Send + Sync + 'static>(value: T) -> Self {
        let text = as_text(&value);
        Self { value: Arc::new(value), type_name: type_name::<T>(), text }
    }

    /// Tells it as text, as `param 'x' is 'v'` compares it; `None` for types other than strings,
    /// numbers and booleans.
    pub fn text(&self) -> Option<&Arc<str>> {
        self.text.as_ref()
    }
}

impl fmt::Debug for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ParamValue").field(&self.type_name).finish()
    }
}

impl Params {
    /// Makes an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a value.
    pub fn with<T: Send + Sync + 'static>(mut self, name: impl Into<Arc<str>>, value: T) -> Self {
        self.set(name, value);
        self
    }

    /// Adds or replaces a value.
    pub fn set<T: Send + Sync + 'static>(&mut self, name: impl Into<Arc<str>>, value: T) {
        self.0.insert(name.into(), ParamValue::new(value));
    }

    /// Tells a value as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.text.as_deref()
    }

    /// Tells all names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &ParamValue)> {
        self.0.iter()
    }

    /// Tells the values that have a text, as a JSON object; `None` if there are none.
    pub fn to_json(&self) -> Option<String> {
        let texts: BTreeMap<&str, &str> =
            self.0.iter().filter_map(|(name, value)| Some((&**name, &**value.text()?))).collect();
        // OK because a map of texts is JSON.
        (!texts.is_empty()).then(|| serde_json::to_string(&texts).unwrap_or_default())
    }

    /// Finds a value by name, or the only one of its type if the name is empty. The inner error is
    /// the name of the type that it has instead.
    pub(crate) fn get<T: Send + Sync + 'static>(
        &self,
        name: &str,
    ) -> Option<Result<&T, &'static str>> {
        if name.is_empty() {
            let mut fit = self.0.values().filter_map(|value| value.value.downcast_ref::<T>());
            return match (fit.next(), fit.next()) {
                (Some(value), None) => Some(Ok(value)),
                _ => None,
            };
        }
        let value = self.0.get(name)?;
        Some(value.value.downcast_ref::<T>().ok_or(value.type_name))
    }

    /// Tells why a value cannot be found or used; empty if it can.
    pub(crate) fn why_not(&self, name: &str, of: TypeId, type_name: &str) -> String {
        let is = |value: &ParamValue| (*value.value).type_id() == of;
        if name.is_empty() {
            return match self.0.values().filter(|value| is(value)).count() {
                0 => format!("no parameter is a `{type_name}`"),
                1 => String::new(),
                n => format!("{n} parameters are a `{type_name}`; take it in a `#[task]` by name"),
            };
        }
        match self.0.get(name) {
            Some(value) if is(value) => String::new(),
            Some(value) => format!(
                "parameter `{name}` is a `{}`, but the task takes a `{type_name}`",
                value.type_name
            ),
            None => {
                let near = nearest(name, self.0.keys().map(AsRef::as_ref));
                let help = near.map(|near| format!("; did you mean `{near}`?"));
                format!("no parameter `{name}` (a `{type_name}`){}", help.unwrap_or_default())
            }
        }
    }
}

fn as_text(value: &dyn Any) -> Option<Arc<str>> {
    macro_rules! first {
        ($($type:ty),*) => {
            $(if let Some(value) = value.downcast_ref::<$type>() {
                return Some(value.to_string().into());
            })*
        };
    }
    first!(&'static str, String, Arc<str>, bool, char);
    first!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64);
    None
}
