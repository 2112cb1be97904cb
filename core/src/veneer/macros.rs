//! The few lines that every generated model and enum shares.

/// Reading, writing and debug output of a model, from one line a field: name, wire name, whether debug output shows it,
/// whether it is always there.
macro_rules! model {
    ($model:ident { $($field:ident $key:literal $shown:ident $presence:ident;)* }) => {
        impl $crate::veneer::Json for $model {
            fn from_json(value: serde_json::Value) -> Result<Self, serde_json::Value> {
                #[allow(unused_mut)] // models without listed fields
                let serde_json::Value::Object(mut raw) = value else { return Err(value) };
                $(let $field = $crate::veneer::take(&mut raw, $key);)*
                Ok($model { $($field: $crate::veneer::model!(@got $presence $field),)* raw })
            }

            fn to_json(&self) -> serde_json::Value {
                #[allow(unused_mut)]
                let mut map = self.raw.clone();
                $($crate::veneer::put(&mut map, $key, $crate::veneer::model!(@have $presence self $field));)*
                serde_json::Value::Object(map)
            }

            fn text_of(&self, field: &str) -> Option<&str> {
                match field {
                    $($key => $crate::veneer::Json::as_text(&self.$field),)*
                    _ => self.raw.get(field)?.as_str(),
                }
            }

            fn from_object<'de, A: serde::de::MapAccess<'de>>(
                mut object: A,
            ) -> Result<Result<Self, serde_json::Value>, A::Error> {
                #[allow(non_camel_case_types)] // the fields' own names
                enum Key {
                    $($field,)*
                    Unlisted(String),
                }
                let key = $crate::sight::Key(|key: &str| match key {
                    $($key => Key::$field,)*
                    _ => Key::Unlisted(key.to_owned()),
                });
                let mut raw = serde_json::Map::new();
                $(let mut $field = None;)*
                while let Some(key) = object.next_key_seed(key)? {
                    match key {
                        $(Key::$field => match object.next_value_seed($crate::veneer::As::new())? {
                            Ok(value) => $field = Some(value),
                            Err(odd) => {
                                $field = None;
                                raw.insert($key.to_owned(), odd);
                            }
                        },)*
                        Key::Unlisted(key) => {
                            raw.insert(key, object.next_value()?);
                        }
                    }
                }
                Ok(Ok($model { $($field: $crate::veneer::model!(@got $presence $field),)* raw }))
            }
        }

        impl std::fmt::Debug for $model {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                #[allow(unused_mut)]
                let mut out = f.debug_struct(stringify!($model));
                $($crate::veneer::model!(@$shown out self $field $presence);)*
                out.finish_non_exhaustive()
            }
        }
    };
    (@got maybe $field:ident) => { $field };
    // Core has refused answers without it, so the default stands only where a caller reads JSON of his own.
    (@got always $field:ident) => { $field.unwrap_or_default() };
    (@have maybe $self:ident $field:ident) => { $self.$field.as_ref() };
    (@have always $self:ident $field:ident) => { Some(&$self.$field) };
    (@shown $out:ident $self:ident $field:ident $presence:ident) => {
        $crate::veneer::show(&mut $out, stringify!($field), $crate::veneer::model!(@have $presence $self $field));
    };
    (@hidden $out:ident $self:ident $field:ident $presence:ident) => {};
}

/// An open set of strings.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!("`", $value, "`")] $variant,)*
            /// A value this version does not know.
            Other(String),
        }

        impl $name {
            /// The value on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $value,)*
                    $name::Other(value) => value,
                }
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                match value {
                    $($value => $name::$variant,)*
                    other => $name::Other(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                $name::from(value.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::veneer::Json for $name {
            fn from_json(value: serde_json::Value) -> Result<Self, serde_json::Value> {
                String::from_json(value).map($name::from)
            }

            fn to_json(&self) -> serde_json::Value {
                serde_json::Value::from(self.as_str())
            }

            fn as_text(&self) -> Option<&str> {
                Some(self.as_str())
            }
        }
    };
}

pub(crate) use {model, open_enum};
