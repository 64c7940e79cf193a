//! Ranges.

use anyhow::Result;
use postgres_range::{BoundSided, BoundType, Normalizable, Range, RangeBound};

use crate::bindings::spin::postgres::postgres::RangeBoundKind;

/// A range in the WIT form: lower and upper bound, absent where it is open.
type WitRange<T> = (Option<WitBound<T>>, Option<WitBound<T>>);

type WitBound<T> = (T, RangeBoundKind);

/// A range in the WIT form, its bounds converted.
pub fn wit_range<T: Normalizable + PartialOrd, W>(
    range: &Range<T>,
    convert: impl Fn(&T) -> W,
) -> WitRange<W> {
    let lower = range.lower();
    let upper = range.upper();
    (
        lower.map(|bound| (convert(&bound.value), wit_kind(bound.type_))),
        upper.map(|bound| (convert(&bound.value), wit_kind(bound.type_))),
    )
}

fn wit_kind(kind: BoundType) -> RangeBoundKind {
    match kind {
        BoundType::Inclusive => RangeBoundKind::Inclusive,
        BoundType::Exclusive => RangeBoundKind::Exclusive,
    }
}

/// A range in the driver's form, its bounds converted.
pub fn sql_range<W, T: Normalizable + PartialOrd>(
    (lower, upper): WitRange<W>,
    convert: impl Fn(&W) -> Result<T>,
) -> Result<Range<T>> {
    Ok(Range::new(
        sql_bound(lower, &convert)?,
        sql_bound(upper, &convert)?,
    ))
}

fn sql_bound<W, T: Normalizable + PartialOrd, S: BoundSided>(
    bound: Option<(W, RangeBoundKind)>,
    convert: impl Fn(&W) -> Result<T>,
) -> Result<Option<RangeBound<S, T>>> {
    let Some((value, kind)) = bound else {
        return Ok(None);
    };
    let kind = match kind {
        RangeBoundKind::Inclusive => BoundType::Inclusive,
        RangeBoundKind::Exclusive => BoundType::Exclusive,
    };
    Ok(Some(RangeBound::new(convert(&value)?, kind)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interfaces::postgres::types::driver::RangeDecimal;

    #[test]
    fn ranges_keep_their_bounds() {
        let range = (
            Some(("1.5".to_owned(), RangeBoundKind::Exclusive)),
            Some(("2.75".to_owned(), RangeBoundKind::Inclusive)),
        );
        let parse = |text: &String| Ok(RangeDecimal(text.parse()?));
        let sql = sql_range(range.clone(), parse).unwrap();
        let back = wit_range(&sql, |RangeDecimal(v)| v.to_string());
        assert_eq!(format!("{back:?}"), format!("{range:?}"));
    }

    #[test]
    fn a_range_may_be_open() {
        let open = sql_range((None::<(i32, _)>, None), |v| Ok(*v)).unwrap();
        assert_eq!(wit_range(&open, |v| *v), (None, None));
    }
}
