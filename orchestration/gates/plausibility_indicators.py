"""What the plausibility gate asks about indicators: the queries over `intermediate`, one row per judged case.

Which rules hold for the rows is written in `expectations/plausibilitaet_*.json`; judging and publishing is the business
of `plausibility.py`. Queries only; every number is one that was counted or delivered.
"""

from __future__ import annotations

NAMES = "select area_id, max_by(name, valid_from) as area_name from intermediate.int_area group by area_id"
TITLES = "select measure_id, title as measure_title from seeds.measures"

SUMS = f"""
    select s.area_id, s.year, s.measure_id, s.feed, s.whole, s.parts, s.n_parts, n.area_name, t.measure_title,
        s.parts - s.whole as difference, greatest(abs(s.parts - s.whole) - s.tolerance, 0) as beyond_rounding,
        least(s.whole, s.parts) as smallest_count
    from intermediate.int_sum_of_parts as s
    join ({NAMES}) as n using (area_id)
    join ({TITLES}) as t using (measure_id)
    where s.n_parts_not_countable = 0 and s.boundary = 'as_counted'
    order by s.area_id, s.year, s.measure_id
"""

SHARES = f"""
    select part.area_id, part.year, part.feed, i.title as indicator_title, n.area_name,
        part.value as part, whole.value as whole, part.measure_id, whole.measure_id as other_measure_id,
        parts.measure_title as part_title,
        wholes.measure_title as whole_title
    from seeds.indicators as i
    join intermediate.int_measure as part
        on part.measure_id = i.numerator_measure and part.boundary = 'as_counted'
    join intermediate.int_measure as whole
        on whole.measure_id = i.denominator_measure and whole.area_id = part.area_id and whole.year = part.year
        and whole.boundary = part.boundary
    join ({NAMES}) as n on n.area_id = part.area_id
    join ({TITLES}) as parts on parts.measure_id = part.measure_id
    join ({TITLES}) as wholes on wholes.measure_id = whole.measure_id
    where i.kind = 'share' and part.value is not null and whole.value is not null and part.level != 'nicht_verortbar'
    order by part.area_id, part.year, i.indicator_id
"""

# Against what the area above did meanwhile: a reform that doubles a number everywhere is one finding, of the Kreis.
JUMPS = f"""
    with counted as (
        select i.indicator_id, i.title as indicator_title, i.kind, i.scale, part.area_id, part.parent_area_id,
            part.level, part.year, part.year - case i.cadence when 'biennial' then 2 else 1 end as year_before,
            part.measure_id, whole.measure_id as other_measure_id, part.feed, part.feed || '|' || whole.feed as feeds,
            areas.same_since, part.value as o, whole.value as n, part.value / whole.value as v
        from seeds.indicators as i
        join intermediate.int_measure as part
            on part.measure_id = i.numerator_measure and part.boundary = 'as_counted'
        join intermediate.int_measure as whole
            on whole.measure_id = i.denominator_measure and whole.area_id = part.area_id and whole.year = part.year
            and whole.boundary = part.boundary
        join intermediate.int_area_year as areas
            on areas.area_id = part.area_id and areas.year = part.year and areas.boundary = part.boundary
        where i.kind in ('share', 'ratio', 'rate') and part.level != 'nicht_verortbar' and whole.value > 0
            and part.value is not null
    ),
    paired as (
        select now.*, before.o as o_before, before.n as n_before, before.v as v_before
        from counted as now
        join counted as before
            on before.indicator_id = now.indicator_id and before.area_id = now.area_id and before.year = now.year_before
            and before.feeds = now.feeds and before.same_since = now.same_since
    ),
    expected as (
        select own.*, own.v_before * coalesce(above.v / nullif(above.v_before, 0), 1) as v_expected
        from paired as own
        left join paired as above
            on above.indicator_id = own.indicator_id and above.area_id = own.parent_area_id and above.year = own.year
    )
    select e.area_id, e.year, e.feed, e.indicator_title, n.area_name, e.measure_id, e.other_measure_id, e.year_before,
        round(e.v_before * e.scale, 1) as value_before, round(e.v * e.scale, 1) as value,
        least(e.o, e.o_before, e.n, e.n_before) as smallest_count,
        abs(e.v - e.v_expected) / nullif(sqrt(
            case e.kind
                when 'share' then (e.o + e.o_before) / (e.n + e.n_before)
                    * greatest(1 - (e.o + e.o_before) / (e.n + e.n_before), 0) * (1 / e.n + 1 / e.n_before)
                else e.o / power(e.n, 2) + e.o_before / power(e.n_before, 2)
            end
        ), 0) as jump_in_sd,
        100.0 * abs(e.v - e.v_expected) / nullif(e.v_expected, 0) as jump_percent
    from expected as e
    join ({NAMES}) as n on n.area_id = e.area_id
    order by e.area_id, e.year, e.indicator_id
"""

MISSING_AREAS = f"""
    with wanted as (
        select numerator_measure as measure_id from seeds.indicators where finest_level = 'sozialraum'
        union
        select denominator_measure from seeds.indicators
        where finest_level = 'sozialraum' and denominator_measure is not null
    ),
    told as (
        select m.measure_id, m.feed, m.area_id, m.parent_area_id, m.level, m.year,
            m.value_status != 'missing' as is_there
        from intermediate.int_measure as m
        join wanted using (measure_id)
        where m.boundary = 'as_counted'
    ),
    due as (
        select parent_area_id as kommune_id, year, count(*) as n_due
        from intermediate.int_area_year
        where boundary = 'as_counted' and level = 'sozialraum'
        group by all
    ),
    -- measures and years of which some Sozialraum of the Kreis has a figure
    by_sozialraum as (select distinct measure_id, feed, year from told where level = 'sozialraum' and is_there),
    there as (
        select measure_id, parent_area_id as kommune_id, year, count(*) as n_there
        from told where level = 'sozialraum' and is_there group by all
    ),
    kommunen as (select measure_id, area_id as kommune_id, year from told where level = 'kommune' and is_there)
    select due.kommune_id as area_id, due.year, by_sozialraum.feed, by_sozialraum.measure_id, due.n_due,
        due.n_due - coalesce(there.n_there, 0) as n_missing, n.area_name, t.measure_title
    from by_sozialraum
    join due on due.year = by_sozialraum.year
    -- where the Kommune itself has no figure, the whole delivery is missing: that is another finding
    join kommunen
        on kommunen.measure_id = by_sozialraum.measure_id and kommunen.kommune_id = due.kommune_id
        and kommunen.year = due.year
    left join there
        on there.measure_id = by_sozialraum.measure_id and there.kommune_id = due.kommune_id and there.year = due.year
    join ({NAMES}) as n on n.area_id = due.kommune_id
    join ({TITLES}) as t on t.measure_id = by_sozialraum.measure_id
    -- one case per delivery: the measure that misses most
    qualify row_number() over (
        partition by due.kommune_id, due.year, by_sozialraum.feed order by n_missing desc, by_sozialraum.measure_id
    ) = 1
    order by area_id, due.year, by_sozialraum.feed
"""

TWO_SOURCES = f"""
    select m.area_id, m.year, m.measure_id, m.feed, m.value, other.value as other_value, other.feed as other_feed,
        other.value - m.value as difference, least(m.value, other.value) as smallest_count, n.area_name, t.measure_title
    from intermediate.int_measure as m
    join intermediate.int_delivered_measure as other
        on other.area_id = m.area_id and other.year = m.year and other.measure_id = m.measure_id
        and other.feed != m.feed
    join ({NAMES}) as n on n.area_id = m.area_id
    join ({TITLES}) as t on t.measure_id = m.measure_id
    where m.boundary = 'as_counted' and m.level in ('kreis', 'kommune')
        and m.value is not null and other.value is not null
    order by m.area_id, m.year, m.measure_id, other.feed
"""

REFERENCES = f"""
    select r.area_id, r.year, r.feed, i.title as indicator_title, n.area_name, i.numerator_measure as measure_id,
        coalesce(i.denominator_measure, '') as other_measure_id, round(r.value, 1) as value,
        round(r.reference_value, 1) as reference_value,
        -- of what is told, so that a reader finds the same
        round(round(r.value, 1) - round(r.reference_value, 1), 1) as difference,
        r.tolerance, greatest(abs(r.value - r.reference_value) - r.tolerance, 0) as beyond_tolerance,
        least(r.numerator, r.denominator) as smallest_count, m.source, m.caveat
    from intermediate.int_indicator_vs_reference as r
    join seeds.indicators as i using (indicator_id)
    join seeds.indicator_references as m on m.feed = r.feed and m.merkmal = r.merkmal
    join ({NAMES}) as n on n.area_id = r.area_id
    where r.value is not null
    order by r.area_id, r.year, i.indicator_id, r.feed, r.merkmal
"""

FRAMES = {
    "plausibilitaet_summen": SUMS,
    "plausibilitaet_anteile": SHARES,
    "plausibilitaet_indikatoren": JUMPS,
    "plausibilitaet_sozialraeume": MISSING_AREAS,
    "plausibilitaet_quellen": TWO_SOURCES,
    "plausibilitaet_referenzwerte": REFERENCES,
}
