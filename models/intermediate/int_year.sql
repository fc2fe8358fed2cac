with official as (
    select * from {{ ref('bevoelkerung_amtlich') }}
),

deliveries as (
    select * from {{ ref('stg_control__delivery') }}
),

years as (
    select year from official
    union
    select year from deliveries
    where state = 'accepted'
),

basis_by_year as (
    select
        year,
        max(basis) as basis
    from official
    group by year
),

final as (
    select
        years.year,
        -- Years after the last official figure go on with its basis.
        max_by(basis_by_year.basis, basis_by_year.year) as population_basis
    from years
    left join basis_by_year on years.year >= basis_by_year.year
    group by years.year
)

select * from final
order by year
