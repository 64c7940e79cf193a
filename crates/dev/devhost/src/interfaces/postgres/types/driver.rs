//! Postgres types that the driver lacks.

use std::error::Error;

use bytes::{Buf as _, BufMut as _, BytesMut};
use postgres_range::{BoundSided, Normalizable, RangeBound};
use rust_decimal::Decimal;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::bindings::spin::postgres::postgres as wit;

type BoxError = Box<dyn Error + Sync + Send>;

/// The bytes of a value whose type the WIT lacks.
#[derive(Debug)]
pub struct Raw(pub Vec<u8>);

impl FromSql<'_> for Raw {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, BoxError> {
        Ok(Self(raw.to_owned()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// NULL for a parameter of any type.
#[derive(Debug)]
pub struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, BoxError> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// `interval`
#[derive(Debug)]
pub struct Interval(pub wit::Interval);

impl ToSql for Interval {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        out.put_i64(self.0.micros);
        out.put_i32(self.0.days);
        out.put_i32(self.0.months);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INTERVAL
    }

    to_sql_checked!();
}

impl FromSql<'_> for Interval {
    fn from_sql(_: &Type, mut raw: &[u8]) -> Result<Self, BoxError> {
        if raw.len() != size_of::<i64>() + 2 * size_of::<i32>() {
            return Err("an interval has 16 bytes".into());
        }
        let (micros, days, months) = (raw.get_i64(), raw.get_i32(), raw.get_i32());
        Ok(Self(wit::Interval {
            micros,
            days,
            months,
        }))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INTERVAL
    }
}

/// A bound of `numrange`.
#[derive(Debug, PartialEq, PartialOrd)]
pub struct RangeDecimal(pub Decimal);

impl ToSql for RangeDecimal {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        self.0.to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <Decimal as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl FromSql<'_> for RangeDecimal {
    fn from_sql(ty: &Type, raw: &[u8]) -> Result<Self, BoxError> {
        Decimal::from_sql(ty, raw).map(Self)
    }

    fn accepts(ty: &Type) -> bool {
        <Decimal as FromSql>::accepts(ty)
    }
}

impl Normalizable for RangeDecimal {
    fn normalize<S: BoundSided>(bound: RangeBound<S, Self>) -> RangeBound<S, Self> {
        bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_survive_both_conversions() {
        let interval = wit::Interval {
            micros: -1,
            days: 2,
            months: -3,
        };
        let mut bytes = BytesMut::new();
        Interval(interval)
            .to_sql(&Type::INTERVAL, &mut bytes)
            .unwrap();
        let Interval(back) = Interval::from_sql(&Type::INTERVAL, &bytes).unwrap();
        assert_eq!((back.micros, back.days, back.months), (-1, 2, -3));
        assert!(Interval::from_sql(&Type::INTERVAL, &bytes[1..]).is_err());
    }
}
