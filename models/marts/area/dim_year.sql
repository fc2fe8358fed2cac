with years as (
    select * from {{ ref('int_year') }}
),

final as (
    select
        cast(year as int) as year,
        -- The Sozialbericht appears every two years, on the figures of an odd year.
        year % 2 = 1 as is_biennial_report,
        population_basis
    from years
)

select * from final
order by year
