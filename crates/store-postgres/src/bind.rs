//! Values of a statement with their types, so that a statement needs no look at the server to be sent.

use tokio_postgres::types::{ToSql, Type};

/// A value and the type it is sent as.
pub(crate) type Bound<'a> = (&'a (dyn ToSql + Sync), Type);

/// Every type that a column or an array of this schema has.
pub(crate) trait Typed {
    fn sql_type() -> Type;
}

/// What stands in an array.
pub(crate) trait Element {
    fn array_type() -> Type;
}

macro_rules! typed {
    ($($type:ty => $one:ident, $array:ident);+ $(;)?) => {$(
        impl Typed for $type {
            fn sql_type() -> Type {
                Type::$one
            }
        }
        impl Element for $type {
            fn array_type() -> Type {
                Type::$array
            }
        }
    )+};
}

typed! {
    i32 => INT4, INT4_ARRAY;
    i64 => INT8, INT8_ARRAY;
    bool => BOOL, BOOL_ARRAY;
    String => TEXT, TEXT_ARRAY;
    &str => TEXT, TEXT_ARRAY;
    &String => TEXT, TEXT_ARRAY;
    Vec<u8> => BYTEA, BYTEA_ARRAY;
    &[u8] => BYTEA, BYTEA_ARRAY;
}

impl<T: Typed> Typed for Option<T> {
    fn sql_type() -> Type {
        T::sql_type()
    }
}
impl<T: Element> Element for Option<T> {
    fn array_type() -> Type {
        T::array_type()
    }
}
impl<T: Element> Typed for Vec<T> {
    fn sql_type() -> Type {
        T::array_type()
    }
}
impl<T: Element> Typed for &[T] {
    fn sql_type() -> Type {
        T::array_type()
    }
}

pub(crate) fn type_of<T: Typed>(_: &T) -> Type {
    T::sql_type()
}

/// The values of a statement, in order.
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        &[$((&$value as &(dyn tokio_postgres::types::ToSql + Sync), $crate::bind::type_of(&$value))),*][..]
    };
}
pub(crate) use args;
