/**
 * How numbers, dates and the signs for missing values look in this report: the only place that knows.
 * No data and no markup here.
 */

const UNITS = {
	percent: { digits: 1, suffix: '\u00a0%' },
	per_1000: { digits: 1, suffix: '' },
	count: { digits: 0, suffix: '' },
	sqm_per_person: { digits: 1, suffix: '\u00a0m²' },
	years: { digits: 1, suffix: '\u00a0Jahre' },
	eur_per_sqm: { digits: 2, suffix: '\u00a0€/m²' }
};

/** Sign and German word for every state in which a value is not simply a number. */
export const SIGNS = {
	suppressed: { sign: '•', word: 'geheim gehalten', why: 'bekannt, aber zum Schutz einzelner Personen nicht gezeigt' },
	missing: { sign: '…', word: 'fehlt', why: 'nicht geliefert, oder die Lieferung wurde abgelehnt' },
	not_applicable: { sign: 'x', word: 'nicht anwendbar', why: 'für dieses Gebiet gibt es den Wert nicht' },
	unreliable: { sign: '/', word: 'unsicher', why: 'zu wenige Personen oder vom Lieferanten als unsicher gekennzeichnet; mit Wert in Klammern' },
	zero: { sign: '0', word: 'genau null', why: 'gezählt, und es war niemand' }
};

/** Why an analysis has no result although figures are there; its own sign in tables and maps of results. */
const NOT_COMPUTABLE = { sign: '–', word: 'nicht berechenbar' };

/** Sign and word of whatever is not simply a number. */
export const signOf = (status) => (status === 'not_computable' ? NOT_COMPUTABLE : (SIGNS[status] ?? SIGNS.missing));

/** A Sozialraum and its neighbours (LISA), in the order of legends. */
export const CLUSTERS = [
	{ key: 'hoch_hoch', word: 'hoch, umgeben von hoch', colour: '#b2401a' },
	{ key: 'hoch_niedrig', word: 'hoch, umgeben von niedrig', colour: '#f2b48f' },
	{ key: 'nicht_signifikant', word: 'nicht auffällig', colour: '#eceef0' },
	{ key: 'niedrig_hoch', word: 'niedrig, umgeben von hoch', colour: '#9cc3df' },
	{ key: 'niedrig_niedrig', word: 'niedrig, umgeben von niedrig', colour: '#1f5f99' }
];

/** Classes of the status of an index, the darker the more burden. */
export const STATUS_CLASSES = [
	{ key: 'hoch', word: 'hoch (geringe Belastung)', colour: '#e3eef7' },
	{ key: 'mittel', word: 'mittel', colour: '#b3d0e6' },
	{ key: 'niedrig', word: 'niedrig', colour: '#2f7db8' },
	{ key: 'sehr_niedrig', word: 'sehr niedrig (hohe Belastung)', colour: '#0b4a80' }
];

const COMPARISONS = {
	guenstiger: { sign: '●', word: 'günstiger', tone: 'gut' },
	unguenstiger: { sign: '▲', word: 'ungünstiger', tone: 'schlecht' },
	aehnlich: { sign: '○', word: 'ähnlich', tone: 'neutral' },
	hoeher: { sign: '↑', word: 'höher', tone: 'neutral' },
	niedriger: { sign: '↓', word: 'niedriger', tone: 'neutral' }
};

const TRENDS = {
	steigend: { sign: '↗', word: 'steigend', tone: 'neutral' },
	fallend: { sign: '↘', word: 'fallend', tone: 'neutral' },
	kein_trend: { sign: '→', word: 'kein Trend', tone: 'neutral' },
	nicht_berechenbar: { sign: '–', word: 'nicht berechenbar', tone: 'leise', silent: true }
};

export const LEVELS = { kreis: 'Kreis', kommune: 'Kommune', sozialraum: 'Sozialraum', nicht_verortbar: 'nicht verortbar' };

const formats = new Map();

/** `1.234,5`; null and undefined give an empty text, so ask for the sign first. */
export function number(value, digits = 0) {
	if (value === null || value === undefined || Number.isNaN(Number(value))) return '';
	if (!formats.has(digits)) {
		formats.set(digits, new Intl.NumberFormat('de-DE', { minimumFractionDigits: digits, maximumFractionDigits: digits }));
	}
	const text = formats.get(digits).format(Number(value));
	return /^-0(,0+)?$/.test(text) ? text.slice(1) : text.replace('-', '−');
}

/** `11,2 %`, `46,4 m²`, `4.240`. */
export function withUnit(value, unit) {
	const { digits, suffix } = UNITS[unit] ?? UNITS.per_1000;
	return number(value, digits) + suffix;
}

export const digitsOf = (unit) => (UNITS[unit] ?? UNITS.per_1000).digits;

/** A value in the running text: `11,2 %`, or the German word for why there is none. */
export function spoken(value, status, unit) {
	const { text, word } = cell(value, status, unit);
	return word && status !== 'zero' ? word : text;
}

/** What stands in a table cell: the text, and the word that a screen reader says for a mere sign. */
export function cell(value, status, unit) {
	const known = value !== null && value !== undefined;
	if (status === 'unreliable' && known) return { text: `(${withUnit(value, unit)})`, word: SIGNS.unreliable.word };
	if (status === 'zero') return { text: '0', word: SIGNS.zero.word };
	if (status === 'not_computable') return { text: NOT_COMPUTABLE.sign, word: NOT_COMPUTABLE.word };
	if (SIGNS[status]) return { text: SIGNS[status].sign, word: SIGNS[status].word };
	if (!known) return { text: SIGNS.missing.sign, word: SIGNS.missing.word };
	return { text: withUnit(value, unit), word: undefined };
}

/** How a figure of an earlier year came into today's boundaries, where it was not counted in them. */
export const CONVERSIONS = {
	einwohnergewichtet: 'umgerechnet nach Einwohnern',
	flaechengewichtet: 'umgerechnet nach Fläche'
};

/** The cell of a row, with the sign ≈ and the standard error where the figure was converted. */
export function converted(row) {
	const plain = cell(row.value, row.value_status, row.unit);
	const how = CONVERSIONS[row.conversion_method];
	if (!how || row.value === null || row.value === undefined) return plain;
	const error = number(row.conversion_error, Math.max(1, digitsOf(row.unit)));
	return { text: `≈\u00a0${plain.text}`, word: `${plain.word ?? plain.text}, ${how}, Standardfehler ${error}` };
}

/** `= 0,03` or `< 0,01`: more digits of a p-value say nothing. */
export const chance = (p) => (p < 0.01 ? '<\u00a00,01' : `=\u00a0${number(p, 2)}`);

/** `+0,5`, `−1,2`: a change in points of the unit. */
export function signed(value, digits = 1) {
	if (value === null || value === undefined) return '';
	const text = number(Math.abs(value), digits);
	if (Number(value.toFixed(digits)) === 0) return '±' + text;
	return (value > 0 ? '+' : '−') + text;
}

/** `31.12.2023` from a date of the data (midnight UTC). */
export function day(value) {
	const date = new Date(value ?? 0);
	// A day that is missing in the table arrives as the first of 1970.
	if (date.getTime() === 0) return '';
	const two = (n) => String(n).padStart(2, '0');
	return `${two(date.getUTCDate())}.${two(date.getUTCMonth() + 1)}.${date.getUTCFullYear()}`;
}

/** `31.12.2023`, or both days where numerator and denominator were counted on different ones. */
export function counted(row) {
	if (!row.has_mixed_dates) return day(row.numerator_date);
	return `${day(row.numerator_date)} / ${day(row.denominator_date)}`;
}

/** `14 (8–26)`: the place, and the places that the intervals leave open. */
export function place(row) {
	if (row.value_rank === null || row.value_rank === undefined) return '';
	const open = row.value_rank_lower === row.value_rank_upper ? '' : ` (${row.value_rank_lower}–${row.value_rank_upper})`;
	return `${row.value_rank}${open}`;
}

/** Absolute and relative change together: an area can improve and still fall behind. */
export function change(row, unit) {
	if (row.is_break) return { text: 'Bruch', word: 'Bruch in der Reihe, nicht mit dem Vorjahr vergleichbar' };
	if (row.change_absolute === null || row.change_absolute === undefined) return { text: '' };
	const points = signed(row.change_absolute, digitsOf(unit)) + (unit === 'percent' ? '\u00a0P.' : '');
	const relative = row.change_percent === null || row.change_percent === undefined ? '' : ` (${signed(row.change_percent, 1)}\u00a0%)`;
	return { text: points + relative };
}

export const comparison = (code) => COMPARISONS[code];
export const trend = (code) => TRENDS[code];

/** `Overath, Rösrath und Odenthal`. */
export function listed(words) {
	if (words.length < 2) return words.join('');
	return `${words.slice(0, -1).join(', ')} und ${words.at(-1)}`;
}
