with delivered as (
    select * from {{ ref('stg_delivered__aggregate') }}
    where value is not null
),

mapped as (
    select * from {{ ref('indicator_references') }}
),

indicators as (
    select * from {{ ref('indicators') }}
),

counted as (
    select * from {{ ref('int_measure') }}
    where boundary = 'as_counted'
),

-- A new edition repeats earlier years, revised: of the same year the newest counts.
newest as (
    select
        delivered.area_id,
        cast(extract(year from delivered.reference_date) as int) as year,
        mapped.indicator_id,
        mapped.feed,
        mapped.merkmal,
        mapped.tolerance,
        delivered.delivery_id,
        delivered.value as reference_value
    from delivered
    inner join mapped on delivered.feed = mapped.feed and delivered.merkmal = mapped.merkmal
    qualify
        row_number() over (
            partition by
                delivered.area_id,
                extract(year from delivered.reference_date),
                mapped.indicator_id,
                mapped.feed,
                mapped.merkmal
            order by delivered.year desc, delivered.delivery_id desc
        ) = 1
),

final as (
    select
        newest.area_id,
        newest.year,
        newest.indicator_id,
        newest.feed,
        newest.merkmal,
        newest.delivery_id,
        numerators.value as numerator,
        denominators.value as denominator,
        case
            when indicators.denominator_measure is null then numerators.value * indicators.scale
            else numerators.value * indicators.scale / nullif(denominators.value, 0)
        end as value,
        newest.reference_value,
        newest.tolerance
    from newest
    inner join indicators on newest.indicator_id = indicators.indicator_id
    inner join counted as numerators
        on
            newest.area_id = numerators.area_id
            and newest.year = numerators.year
            and indicators.numerator_measure = numerators.measure_id
    left join counted as denominators
        on
            newest.area_id = denominators.area_id
            and newest.year = denominators.year
            and indicators.denominator_measure = denominators.measure_id
)

select * from final
order by area_id, year, indicator_id, feed, merkmal
