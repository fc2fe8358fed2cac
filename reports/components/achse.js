/** The axis of a drawing; no data and no markup here. */

/** Round steps that include 0 unless the values lie far from it. */
export function ticks(values) {
	if (!values.length) return [0, 1];
	const top = Math.max(...values);
	const bottom = Math.min(...values);
	const floor = bottom > 0.7 * top ? bottom - (top - bottom || top * 0.05) : 0;
	const raw = (top - floor || 1) / 4;
	const power = 10 ** Math.floor(Math.log10(raw));
	const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= raw);
	const start = Math.floor(floor / step) * step;
	const result = [];
	for (let at = start; at < top + step * 0.999; at += step) result.push(Number(at.toPrecision(10)));
	return result.length > 1 ? result : [start, start + step];
}
