-- A symbol that seeds/symbols.csv does not know was taken for missing; a person must decide what it means.
select distinct
    delivered.feed,
    delivered.symbol
from {{ ref('stg_delivered__aggregate') }} as delivered
left join {{ ref('symbols') }} as symbols on delivered.symbol = symbols.zeichen
where delivered.symbol is not null and symbols.zeichen is null
