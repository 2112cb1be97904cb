//! What a call is made of, as Python has it.
//!
//! Plain arguments are read where they lie. Whatever else stands for JSON (models, mappings, numbers with a fraction) the Python half
//! writes down first, and says what is wrong with what does not. It does so before it comes here: code of Python's that runs inside
//! native code may find the process exiting, which ends its thread in the midst of ours.

use bloomchats::{Call, CallOptions, File};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString};
use serde_json::{Map, Value};

/// `[(field, filename, content type, bytes)]`
pub type Files = Vec<(String, String, String, PyBackedBytes)>;

/// A call's arguments: as they are, or as JSON.
#[derive(FromPyObject)]
pub enum Given<'py> {
    Kept(Bound<'py, PyDict>),
    Written(PyBackedBytes),
}

/// Deeper arguments are left to the Python half, which knows its interpreter's stack.
const DEEPEST: usize = 16;

/// The call, or core's refusal of it; `None` if its arguments have to be written down first.
pub fn read(
    operation: String,
    given: &Given<'_>,
    options: &[u8],
    files: Option<Files>,
) -> Option<bloomchats::Result<Call>> {
    let call = match given {
        Given::Written(json) => Call::from_json(operation, json, options),
        Given::Kept(arguments) => {
            let arguments = object(arguments, DEEPEST)?;
            CallOptions::from_json(options).map(|options| Call { options, ..Call::new(operation, arguments) })
        }
    };
    Some(call.map(|mut call| {
        call.files = files.into_iter().flatten().map(file).collect();
        call
    }))
}

fn file((field, name, content_type, bytes): (String, String, String, PyBackedBytes)) -> File {
    File::new(field, name, content_type, bytes.to_vec())
}

fn object(given: &Bound<'_, PyDict>, depth: usize) -> Option<Map<String, Value>> {
    // None of this runs code of Python's, which could change the dictionary meanwhile.
    given.iter().map(|(name, value)| Some((text(&name)?, plain(&value, depth)?))).collect()
}

fn plain(given: &Bound<'_, PyAny>, depth: usize) -> Option<Value> {
    if given.is_none() {
        return Some(Value::Null);
    }
    // Heirs of these types may write themselves differently.
    if given.is_exact_instance_of::<PyString>() {
        return text(given).map(Value::String);
    }
    if let Ok(flag) = given.cast_exact::<PyBool>() {
        return Some(flag.is_true().into());
    }
    if given.is_exact_instance_of::<PyInt>() {
        return given.extract::<i64>().ok().map(Value::from);
    }
    let depth = depth.checked_sub(1)?;
    if let Ok(list) = given.cast_exact::<PyList>() {
        return list.iter().map(|item| plain(&item, depth)).collect::<Option<_>>().map(Value::Array);
    }
    object(given.cast_exact::<PyDict>().ok()?, depth).map(Value::Object)
}

/// `None` for what is no string, and for one with lone surrogates.
fn text(given: &Bound<'_, PyAny>) -> Option<String> {
    given.cast_exact::<PyString>().ok()?.to_str().ok().map(str::to_owned)
}
