//! Schemas to models, enums and unions, each defined once, and to the shapes core checks.

use std::collections::{BTreeSet, HashSet};

use anyhow::{Context, Result, bail};
use indexmap::IndexMap;

use super::super::ir::{Content, Enum, EnumValue, Field, Model, Schema, SchemaField, Shape, Type, Union, Variant};
use super::super::names::{pascal, snake};
use super::super::node::Node;
use super::super::overlay;
use super::schema::{document, group, is_shape, json_kind};
use super::{is_withheld, sentence};

/// Which way a value travels.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Way {
    /// To the service. `guesses`: inferred fields are part of it.
    In { guesses: bool },
    /// From the service.
    Out,
}

/// Where an unnamed schema stands.
#[derive(Clone)]
pub struct At {
    /// Key in the overlay's `inline` table.
    pub key: String,
    /// Name it gets without an entry there.
    pub name: String,
}

impl At {
    pub fn new(key: impl Into<String>, name: impl Into<String>) -> At {
        At { key: key.into(), name: name.into() }
    }

    pub fn field(owner: &str, name: &str) -> At {
        At::new(format!("{owner}.{name}"), format!("{owner}{}", pascal(name)))
    }

    fn item(&self) -> At {
        At::new(format!("{}[]", self.key), format!("{}Item", self.name))
    }
}

/// A schema understood.
#[derive(Clone)]
pub struct Resolved {
    pub ty: Type,
    pub nullable: bool,
    pub schema: Schema,
    pub doc: String,
}

impl Resolved {
    fn new(ty: Type, schema: Schema) -> Resolved {
        Resolved { ty, nullable: false, schema, doc: String::new() }
    }

    fn or_null(mut self, nullable: bool) -> Resolved {
        if nullable && !self.nullable {
            self.nullable = true;
            self.schema = Schema::Nullable { inner: Box::new(self.schema) };
        }
        self
    }
}

/// An object schema with `allOf` folded in.
#[derive(Default)]
pub struct Object<'a> {
    /// Wire name, the component that defines it (empty: the schema itself), its definitions along `allOf`.
    pub fields: Vec<(&'a str, &'a str, Vec<&'a Node>)>,
    pub required: Vec<&'a str>,
    pub rules: Vec<String>,
    pub content: Option<Content>,
}

/// The types of one API.
pub struct Types<'a> {
    contract: &'a Node,
    rules: &'a overlay::Api,
    models: IndexMap<String, Model>,
    enums: IndexMap<String, Enum>,
    unions: IndexMap<String, Union>,
    /// Shapes of inputs by name, for the tables.
    shapes: IndexMap<String, Schema>,
    seen: HashSet<(String, Way)>,
    used: BTreeSet<String>,
}

impl<'a> Types<'a> {
    pub fn new(contract: &'a Node, rules: &'a overlay::Api) -> Types<'a> {
        Types {
            contract,
            rules,
            models: IndexMap::new(),
            enums: IndexMap::new(),
            unions: IndexMap::new(),
            shapes: IndexMap::new(),
            seen: HashSet::new(),
            used: BTreeSet::new(),
        }
    }

    /// A reference followed to its end.
    pub fn deref(&self, node: &'a Node) -> Result<&'a Node> {
        match node.get("$ref").text() {
            Some(pointer) => self.deref(self.contract.pointer(pointer)?),
            None => Ok(node),
        }
    }

    pub fn resolve(&mut self, node: &'a Node, at: &At, way: Way) -> Result<Resolved> {
        if let Some(pointer) = node.get("$ref").text() {
            let component = pointer.rsplit('/').next().unwrap_or_default();
            let target = self.contract.pointer(pointer)?;
            let name = self.public_name(component);
            let mut resolved = self.resolve(target, &At::new(component, name), way)?;
            if !matches!(resolved.ty, Type::Model { .. } | Type::Enum { .. } | Type::Union { .. }) {
                resolved.doc = sentence(target.get("description").text().unwrap_or_default());
            }
            return Ok(resolved);
        }
        let parts = node.get("allOf").items();
        if let [only] = parts {
            return self.resolve(only, at, way);
        }
        if !parts.is_empty() {
            return self.object(node, at, way);
        }
        for key in ["anyOf", "oneOf"] {
            let choices: Vec<&Node> = node.get(key).items().iter().collect();
            if choices.iter().any(|choice| is_shape(choice)) {
                return self.choice(node, &choices, at, way);
            }
        }
        let types: Vec<&str> = match node.get("type") {
            Node::Text(one) => vec![one.as_str()],
            several => several.texts(),
        };
        let nullable = types.contains(&"null");
        let types: Vec<&str> = types.into_iter().filter(|name| *name != "null").collect();
        let resolved = match types.as_slice() {
            [] if node.has("properties") => self.object(node, at, way)?,
            [] if node.get("const").text().is_some() => Resolved::new(Type::String, Schema::String),
            [] => Resolved::new(Type::Any, Schema::Any),
            [one] => self.typed(node, one, at, way)?,
            several => {
                let choices = several
                    .iter()
                    .map(|name| self.typed(node, name, at, way).map(|resolved| resolved.schema))
                    .collect::<Result<_>>()?;
                Resolved::new(Type::Any, Schema::OneOf { choices })
            }
        };
        Ok(resolved.or_null(nullable))
    }

    fn typed(&mut self, node: &'a Node, kind: &str, at: &At, way: Way) -> Result<Resolved> {
        Ok(match kind {
            "string" if node.get("format").text() == Some("binary") => Resolved::new(Type::File, Schema::Any),
            "string" => match node.get("enum").texts().len() {
                0 | 1 => Resolved::new(Type::String, Schema::String),
                _ => Resolved::new(self.open_enum(node, at)?, Schema::String),
            },
            "integer" => Resolved::new(Type::Integer, Schema::Integer),
            "number" => Resolved::new(Type::Number, Schema::Number),
            "boolean" => Resolved::new(Type::Boolean, Schema::Boolean),
            "array" => {
                let item = self.resolve(node.get("items"), &at.item(), way)?;
                let (min, max) = (node.get("minItems").number().unwrap_or(0), node.get("maxItems").number());
                Resolved::new(
                    Type::List { item: Box::new(item.ty) },
                    Schema::List { items: Box::new(item.schema), min, max },
                )
            }
            "object" => self.object(node, at, way)?,
            other => bail!("{}: type `{other}` is not known", at.key),
        })
    }

    fn open_enum(&mut self, node: &Node, at: &At) -> Result<Type> {
        let values: Vec<&str> = node.get("enum").texts();
        let name = match self.inline_name(at) {
            Some(name) => name,
            // An unnamed enum with the values of a named one is that one.
            None if at.key.contains('.') => self.same_enum(&values).unwrap_or_else(|| at.name.clone()),
            None => at.name.clone(),
        };
        let value = |value: &&str| EnumValue {
            name: self.rules.values.get(*value).cloned().unwrap_or_else(|| snake(value)),
            value: (*value).to_owned(),
        };
        let made = Enum {
            name: name.clone(),
            doc: sentence(node.get("description").text().unwrap_or_default()),
            values: values.iter().map(value).collect(),
        };
        let covers = |more: &Enum, fewer: &Enum| fewer.values.iter().all(|value| more.values.contains(value));
        match self.enums.get_mut(&name) {
            // A field that takes some of an enum's values has that enum's type.
            Some(have) if covers(have, &made) => {}
            Some(have) if covers(&made, have) => *have = made,
            Some(_) => bail!("{}: the name {name} is taken by another enum; name this one in [apis.*.inline]", at.key),
            None => drop(self.enums.insert(name.clone(), made)),
        }
        for value in values {
            if self.rules.values.contains_key(value) {
                self.used.insert(format!("values.{value}"));
            }
        }
        Ok(Type::Enum { name })
    }

    /// An enum that the contract does not have: of an argument that is core's own.
    pub fn own_enum(&mut self, name: &str, values: &[String], doc: &str) -> Result<Type> {
        let values = values.iter().map(|value| EnumValue { name: snake(value), value: value.clone() }).collect();
        let made = Enum { name: name.to_owned(), doc: doc.to_owned(), values };
        if self.enums.insert(name.to_owned(), made).is_some() {
            bail!("the name {name} is taken by an enum of the contract");
        }
        Ok(Type::Enum { name: name.to_owned() })
    }

    fn same_enum(&self, values: &[&str]) -> Option<String> {
        let schemas = self.contract.get("components").get("schemas").entries();
        let same = |node: &Node| {
            let have = node.get("enum").texts();
            have.len() == values.len() && have.iter().all(|value| values.contains(value))
        };
        schemas.iter().find(|(_, node)| same(node)).map(|(name, _)| self.public_name(name))
    }

    fn choice(&mut self, node: &'a Node, choices: &[&'a Node], at: &At, way: Way) -> Result<Resolved> {
        let shapes: Vec<&Node> =
            choices.iter().copied().filter(|choice| choice.get("type").text() != Some("null")).collect();
        let nullable = shapes.len() < choices.len();
        if let [one] = shapes.as_slice() {
            return Ok(self.resolve(one, at, way)?.or_null(nullable));
        }
        let name = self.inline_name(at).unwrap_or_else(|| at.name.clone());
        let doc = sentence(node.get("description").text().unwrap_or_default());
        let (ty, schema) = self.union(&at.key, &name, doc, &shapes, way)?;
        Ok(Resolved::new(ty, schema).or_null(nullable))
    }

    fn union(&mut self, key: &str, name: &str, doc: String, shapes: &[&'a Node], way: Way) -> Result<(Type, Schema)> {
        let named = self.rules.variants.get(key).or_else(|| self.rules.variants.get(name));
        let Some(named) = named.filter(|named| named.len() == shapes.len()) else {
            bail!("{name} has {} alternatives: name them in [apis.*.variants] {name} = [\"…\"]", shapes.len());
        };
        self.used.insert(format!("variants.{}", if self.rules.variants.contains_key(key) { key } else { name }));
        let mut variants = Vec::new();
        let mut choices = Vec::new();
        for (variant, shape) in named.iter().zip(shapes) {
            let resolved =
                self.resolve(shape, &At::new(format!("{key}.{variant}"), format!("{name}{variant}")), way)?;
            let target = self.deref(shape)?;
            variants.push(Variant {
                name: variant.clone(),
                json: json_kind(&resolved.ty),
                ty: resolved.ty,
                needs: target.get("required").texts().into_iter().map(str::to_owned).collect(),
                tag: String::new(),
            });
            choices.push(resolved.schema);
        }
        self.put_union(
            Union {
                name: name.to_owned(),
                doc,
                variants,
                input: false,
                output: false,
                result: false,
                tag: self.tag(shapes)?,
                shared: Vec::new(),
            },
            way,
        )?;
        let schema = Schema::OneOf { choices };
        let schema = if matches!(way, Way::In { .. }) { self.share(name, schema) } else { schema };
        Ok((Type::Union { name: name.to_owned() }, schema))
    }

    /// The field that tells alternatives apart by a constant, and its values put on the variants by the caller's shapes.
    fn tag(&self, shapes: &[&'a Node]) -> Result<String> {
        let first = self.deref(shapes[0])?;
        for (name, field) in first.get("properties").entries() {
            if field.has("const")
                && shapes
                    .iter()
                    .all(|shape| self.deref(shape).is_ok_and(|shape| shape.get("properties").get(name).has("const")))
            {
                return Ok(name.clone());
            }
        }
        Ok(String::new())
    }

    fn put_union(&mut self, mut union: Union, way: Way) -> Result<()> {
        if !union.tag.is_empty() {
            for variant in &mut union.variants {
                if let Type::Model { name } = &variant.ty {
                    let constant = self
                        .models
                        .get(name)
                        .and_then(|model| model.fields.iter().find(|field| field.wire == union.tag));
                    variant.tag = constant.map_or_else(String::new, |field| field.constant.clone());
                }
            }
        }
        let entry = self.unions.entry(union.name.clone()).or_insert_with(|| union.clone());
        if entry.variants != union.variants {
            bail!("the name {} is taken by another union; name this one in [apis.*.inline]", union.name);
        }
        entry.input |= way != Way::Out;
        entry.output |= way == Way::Out;
        Ok(())
    }

    /// The union of an operation's answers.
    pub fn result_union(&mut self, name: &str, types: &[Type]) -> Result<Type> {
        let Some(named) = self.rules.variants.get(name).filter(|named| named.len() == types.len()) else {
            bail!("{name} has {} alternatives: name them in [apis.*.variants] {name} = [\"…\"]", types.len());
        };
        self.used.insert(format!("variants.{name}"));
        let variant = |(variant, ty): (&String, &Type)| Variant {
            name: variant.clone(),
            ty: ty.clone(),
            json: json_kind(ty),
            needs: self.promised(ty),
            tag: String::new(),
        };
        let variants = named.iter().zip(types).map(variant).collect();
        let filled = |ty: &Type| -> Vec<Field> {
            let Type::Model { name } = ty else { return Vec::new() };
            self.models
                .get(name)
                .map(|model| model.fields.iter().filter(|field| field.filled).cloned().collect())
                .unwrap_or_default()
        };
        let shared = filled(&types[0])
            .into_iter()
            .filter(|field| types.iter().all(|ty| filled(ty).iter().any(|other| other.name == field.name)))
            .collect();
        let doc = "What the operation made of the request.".to_owned();
        self.put_union(
            Union {
                name: name.to_owned(),
                doc,
                variants,
                input: false,
                output: true,
                result: true,
                tag: String::new(),
                shared,
            },
            Way::Out,
        )?;
        Ok(Type::Union { name: name.to_owned() })
    }

    /// Fields of a model that every answer of it has.
    fn promised(&self, ty: &Type) -> Vec<String> {
        let Type::Model { name } = ty else { return Vec::new() };
        let fields = self.models.get(name).map(|model| model.fields.as_slice()).unwrap_or_default();
        fields.iter().filter(|field| field.required && !field.filled).map(|field| field.wire.clone()).collect()
    }

    fn object(&mut self, node: &'a Node, at: &At, way: Way) -> Result<Resolved> {
        let object = self.flatten(node)?;
        let name = self.inline_name(at).unwrap_or_else(|| at.name.clone());
        if object.fields.is_empty() && at.key.contains('.') {
            return Ok(Resolved::new(Type::Map, Schema::Object { fields: Vec::new() }));
        }
        let schema = self.model(node, object, &at.key, &name, way).with_context(|| at.key.clone())?;
        Ok(Resolved::new(Type::Model { name }, schema))
    }

    fn model(&mut self, node: &'a Node, object: Object<'a>, key: &str, name: &str, way: Way) -> Result<Schema> {
        let shared = Schema::Shared { name: name.to_owned() };
        let is_new = self.seen.insert((name.to_owned(), way));
        if !is_new && way != Way::Out && key == name {
            return Ok(shared);
        }
        let owner = if key.contains('.') { name } else { key };
        let always = self.rules.always.get(name).or_else(|| self.rules.always.get(key)).cloned().unwrap_or_default();
        let mut fields = Vec::new();
        let mut shape = Vec::new();
        for (wire, inherited, nodes) in &object.fields {
            let owner = if inherited.is_empty() { owner } else { inherited };
            if let Way::In { guesses: false } = way
                && nodes.iter().any(|node| is_withheld(node))
            {
                continue;
            }
            let required =
                if way == Way::Out { always.iter().any(|field| field == wire) } else { object.required.contains(wire) };
            let (field, resolved) = self.field(owner, wire, nodes, required, way)?;
            if way != Way::Out || required {
                shape.push(SchemaField {
                    name: field.name.clone(),
                    wire: field.wire.clone(),
                    required,
                    schema: resolved.schema,
                });
            }
            fields.push(field);
        }
        if !always.is_empty() && way == Way::Out {
            self.used.insert(format!("always.{}", if self.rules.always.contains_key(name) { name } else { key }));
            if let Some(unknown) = always.iter().find(|wire| !fields.iter().any(|field| field.wire == **wire)) {
                bail!("[apis.*.always] {name}: there is no field `{unknown}`");
            }
        }
        if way == Way::Out {
            self.fill(name, &mut fields)?;
        }
        let said = node.get("description").text().unwrap_or_default();
        let mut doc = self.doc(name).unwrap_or_else(|| sentence(said));
        if !object.rules.is_empty() {
            doc = format!("{doc} Rules: {}.", object.rules.join("; ")).trim().to_owned();
        }
        self.put_model(Model { name: name.to_owned(), doc, fields, input: way != Way::Out, output: way == Way::Out })?;
        let schema = Schema::Object { fields: shape };
        Ok(if way == Way::Out { schema } else { self.share(name, schema) })
    }

    fn put_model(&mut self, model: Model) -> Result<()> {
        let Some(have) = self.models.get_mut(&model.name) else {
            self.models.insert(model.name.clone(), model);
            return Ok(());
        };
        let shape = |field: &Field| (field.wire.clone(), field.ty.clone(), field.nullable);
        let (new, old): (Vec<_>, Vec<_>) =
            (model.fields.iter().map(shape).collect(), have.fields.iter().map(shape).collect());
        // The two ways of one schema may differ by the fields that inputs leave out.
        if !new.iter().all(|field| old.contains(field)) && !old.iter().all(|field| new.contains(field)) {
            bail!("the name {} is taken by another model; name this one in [apis.*.inline]", model.name);
        }
        for field in model.fields {
            match have.fields.iter_mut().find(|known| known.wire == field.wire) {
                Some(known) => known.input |= field.input,
                None => have.fields.push(field),
            }
        }
        have.input |= model.input;
        have.output |= model.output;
        Ok(())
    }

    fn fill(&mut self, name: &str, fields: &mut Vec<Field>) -> Result<()> {
        let Some(filled) = self.rules.filled.get(name) else { return Ok(()) };
        self.used.insert(format!("filled.{name}"));
        for (wire, extra) in filled {
            let (ty, nullable, required) = match extra.ty.as_str() {
                "string?" => (Type::String, true, false),
                "string[]" => (Type::List { item: Box::new(Type::String) }, false, true),
                other => bail!("[apis.*.filled.{name}] {wire}: type `{other}`, expected `string?` or `string[]`"),
            };
            fields.retain(|field| field.wire != *wire);
            let shown = self.is_shown(name, wire, &ty);
            let doc = extra.doc.clone();
            fields.push(Field {
                name: snake(wire),
                wire: wire.clone(),
                ty,
                nullable,
                required,
                input: false,
                filled: true,
                shown,
                unit: String::new(),
                default: String::new(),
                constant: String::new(),
                doc,
            });
        }
        Ok(())
    }

    /// One property; `nodes` are its definitions along `allOf`, the last one rules.
    fn field(
        &mut self,
        owner: &str,
        wire: &str,
        nodes: &[&'a Node],
        required: bool,
        way: Way,
    ) -> Result<(Field, Resolved)> {
        self.field_at(&At::field(owner, wire), owner, wire, nodes, required, way)
    }

    /// [`Types::field`] for arguments, whose unnamed schemas are named after the operation or its resource.
    pub fn field_at(
        &mut self,
        at: &At,
        owner: &str,
        wire: &str,
        nodes: &[&'a Node],
        required: bool,
        way: Way,
    ) -> Result<(Field, Resolved)> {
        let node = nodes[nodes.len() - 1];
        let resolved = self.resolve(node, at, way)?;
        let said = || nodes.iter().rev().find_map(|node| node.get("description").text()).map(sentence);
        let own = self.doc(&at.key).or_else(said);
        let unit = match nodes.iter().rev().find_map(|node| node.get("x-unit").text()) {
            Some("ms" | "epoch-ms") => "ms",
            Some(unit) => unit,
            None => "",
        };
        let default = match node.get("default") {
            Node::Null => String::new(),
            Node::Text(text) => format!("{text:?}"),
            Node::List(items) => format!(
                "[{}]",
                items.iter().map(|item| format!("{:?}", item.to_string())).collect::<Vec<_>>().join(", ")
            ),
            other => other.to_string(),
        };
        let doc = document(node, own.unwrap_or_else(|| resolved.doc.clone()), unit, &default);
        let field = Field {
            name: snake(wire),
            wire: wire.to_owned(),
            shown: self.is_shown(owner, wire, &resolved.ty),
            ty: resolved.ty.clone(),
            nullable: resolved.nullable,
            required,
            input: way != Way::Out,
            filled: false,
            unit: unit.to_owned(),
            default,
            constant: node.get("const").text().unwrap_or_default().to_owned(),
            doc,
        };
        Ok((field, resolved))
    }

    /// Debug output names states and ids, never people, places, texts or secrets.
    fn is_shown(&mut self, owner: &str, wire: &str, ty: &Type) -> bool {
        let sensitive = [wire.to_owned(), format!("{owner}.{wire}")];
        if let Some(entry) = sensitive.iter().find(|name| self.rules.sensitive.contains(name)) {
            self.used.insert(format!("sensitive.{entry}"));
            return false;
        }
        match ty {
            Type::Boolean | Type::Enum { .. } | Type::Integer => true,
            Type::String => wire == "id" || wire.ends_with("_id"),
            Type::List { item } => **item == Type::String && wire.ends_with("_ids"),
            _ => false,
        }
    }

    /// An object's own and inherited properties, in order.
    pub fn flatten(&self, node: &'a Node) -> Result<Object<'a>> {
        let mut object = Object::default();
        self.flatten_into(node, "", &mut object)?;
        Ok(object)
    }

    fn flatten_into(&self, node: &'a Node, owner: &'a str, object: &mut Object<'a>) -> Result<()> {
        let owner = node.get("$ref").text().and_then(|pointer| pointer.rsplit('/').next()).unwrap_or(owner);
        let node = self.deref(node)?;
        for part in node.get("allOf").items() {
            self.flatten_into(part, owner, object)?;
        }
        for (name, field) in node.get("properties").entries() {
            match object.fields.iter_mut().find(|(have, ..)| have == name) {
                Some((.., nodes)) => nodes.push(field),
                None => object.fields.push((name, owner, vec![field])),
            }
        }
        object.required.extend(node.get("required").texts());
        object.rules.extend(node.get("x-rules").texts().into_iter().map(str::to_owned));
        for (key, exactly_one) in [("anyOf", false), ("oneOf", true)] {
            let groups: Vec<Vec<String>> = node.get(key).items().iter().map(group).collect();
            if !groups.is_empty() && groups.iter().all(|group| !group.is_empty()) {
                object.content = Some(Content { groups, exactly_one });
            }
        }
        Ok(())
    }

    /// A component schema by its name in the contract.
    pub fn component(&self, name: &str) -> Result<&'a Node> {
        self.contract.pointer(&format!("#/components/schemas/{name}"))
    }

    /// Documents a model the contract does not describe.
    pub fn describe(&mut self, ty: &Type, doc: &str) {
        let Type::Model { name } = ty else { return };
        if let Some(model) = self.models.get_mut(name).filter(|model| model.doc.is_empty()) {
            doc.clone_into(&mut model.doc);
        }
    }

    fn public_name(&self, component: &str) -> String {
        self.rules.rename.get(component).cloned().unwrap_or_else(|| component.to_owned())
    }

    /// Documentation the overlay gives for a place.
    pub fn doc(&mut self, key: &str) -> Option<String> {
        let doc = self.rules.docs.get(key)?;
        self.used.insert(format!("docs.{key}"));
        Some(doc.clone())
    }

    fn inline_name(&mut self, at: &At) -> Option<String> {
        let name = self.rules.inline.get(&at.key)?;
        self.used.insert(format!("inline.{}", at.key));
        Some(name.clone())
    }

    fn share(&mut self, name: &str, schema: Schema) -> Schema {
        self.shapes.entry(name.to_owned()).or_insert(schema);
        Schema::Shared { name: name.to_owned() }
    }

    /// Refuses overlay entries that name nothing in the contract.
    pub fn check_used(&mut self) -> Result<()> {
        for component in self.rules.rename.keys() {
            if !self.contract.get("components").get("schemas").has(component) {
                bail!(
                    "[apis.*.rename] {component}: the contract has no such schema; remove the entry or correct its name"
                );
            }
        }
        let tables: [(&str, Vec<&String>); 7] = [
            ("docs", self.rules.docs.keys().collect()),
            ("inline", self.rules.inline.keys().collect()),
            ("variants", self.rules.variants.keys().collect()),
            ("values", self.rules.values.keys().collect()),
            ("filled", self.rules.filled.keys().collect()),
            ("always", self.rules.always.keys().collect()),
            ("sensitive", self.rules.sensitive.iter().collect()),
        ];
        for (table, keys) in tables {
            if let Some(stray) = keys.into_iter().find(|key| !self.used.contains(&format!("{table}.{key}"))) {
                bail!(
                    "[apis.*.{table}] {stray}: nothing in the contract uses this entry; remove it or correct its name"
                );
            }
        }
        Ok(())
    }

    /// Everything defined, sorted by name.
    pub fn finish(mut self) -> Defined {
        self.models.sort_keys();
        self.enums.sort_keys();
        self.unions.sort_keys();
        self.shapes.sort_keys();
        Defined {
            models: self.models.into_values().collect(),
            enums: self.enums.into_values().collect(),
            unions: self.unions.into_values().collect(),
            shapes: self.shapes.into_iter().map(|(name, schema)| Shape { name, schema }).collect(),
        }
    }
}

/// The types of an API.
pub struct Defined {
    pub models: Vec<Model>,
    pub enums: Vec<Enum>,
    pub unions: Vec<Union>,
    pub shapes: Vec<Shape>,
}
