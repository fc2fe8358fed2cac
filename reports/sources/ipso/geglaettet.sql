-- One row per Sozialraum of today and indicator, in the indicator's newest year: smoothed value and local cluster.
with newest as (
    select
        facts.indicator_id,
        max(facts.year) as jahr
    from fct_indicator as facts
    inner join dim_area as areas on facts.area_id = areas.area_id and areas.valid_to is null
    where areas.level in ('kreis', 'kommune') and facts.value is not null and facts.boundary = 'current'
    group by facts.indicator_id
),

smoothed as (
    select
        facts.*
    from fct_smoothed as facts
    inner join newest on facts.indicator_id = newest.indicator_id and facts.year = newest.jahr
),

clusters as (
    select
        facts.*
    from fct_cluster as facts
    inner join newest on facts.indicator_id = newest.indicator_id and facts.year = newest.jahr
)

select
    coalesce(smoothed.area_id, clusters.area_id) as area_id,
    coalesce(smoothed.indicator_id, clusters.indicator_id) as indicator_id,
    smoothed.value_status as geglaettet_status,
    smoothed.smoothed as geglaettet,
    smoothed.smoothed_lower as geglaettet_von,
    smoothed.smoothed_upper as geglaettet_bis,
    100 * smoothed.own_weight as eigenes_gewicht,
    clusters.value_status as cluster_status,
    clusters.cluster,
    clusters.corrected_p as cluster_p
from smoothed
full outer join clusters on smoothed.area_id = clusters.area_id and smoothed.indicator_id = clusters.indicator_id
order by indicator_id, area_id
