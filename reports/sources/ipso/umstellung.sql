-- One row per year: what the population figures are based on.
select
    year,
    population_basis
from dim_year
order by year
