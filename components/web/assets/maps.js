// Changes to immutable maps: each returns a new map.

/**
 * @template K, V
 * @param {ReadonlyMap<K, V>} map
 * @param {K} key
 * @param {V} value
 * @returns {ReadonlyMap<K, V>}
 */
export const set = (map, key, value) => new Map(map).set(key, value);

/**
 * @template K, V
 * @param {ReadonlyMap<K, V>} map
 * @param {K} key
 * @returns {ReadonlyMap<K, V>}
 */
export function remove(map, key) {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

/**
 * Sets a value in a map of maps.
 *
 * @template K, L, V
 * @param {ReadonlyMap<K, ReadonlyMap<L, V>>} map
 * @param {K} key
 * @param {L} inner
 * @param {V} value
 */
export const setIn = (map, key, inner, value) =>
  set(map, key, set(map.get(key) ?? /** @type {ReadonlyMap<L, V>} */ (new Map()), inner, value));

/**
 * Removes a value from a map of maps.
 *
 * @template K, L, V
 * @param {ReadonlyMap<K, ReadonlyMap<L, V>>} map
 * @param {K} key
 * @param {L} inner
 */
export function removeIn(map, key, inner) {
  const values = map.get(key);
  return values?.has(inner) ? set(map, key, remove(values, inner)) : map;
}
