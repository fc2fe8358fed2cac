{# The recent trend of UKHSA Fingertips over five consecutive periods; formulas and source in docs/methods.md.
   Arguments are lists of five SQL expressions (names of double columns), oldest period first. #}

{% macro trend_critical_value() -%} 9.54953570608324 {%- endmacro %}

{# Sum of the terms, each times its period number (1..5) to the given power; `without` leaves one out. #}
{% macro _trend_sum(terms, power=0, without=0) -%}
    {%- set parts = [] -%}
    {%- for term in terms -%}
        {%- if loop.index != without -%}
            {%- do parts.append(term ~ (' * ' ~ loop.index ** power if power else '')) -%}
        {%- endif -%}
    {%- endfor -%}
    ({{ parts | join(' + ') }})
{%- endmacro %}

{# Chi-square of the linear trend in a proportion: NULL where it is undefined (no events, only events). #}
{% macro trend_chi2_proportion(events, totals) -%}
    {% set o = _trend_sum(events) %}
    {% set n = _trend_sum(totals) %}
    {{ n }} * power({{ n }} * {{ _trend_sum(events, 1) }} - {{ o }} * {{ _trend_sum(totals, 1) }}, 2)
    / nullif(
        {{ o }} * ({{ n }} - {{ o }})
        * ({{ n }} * {{ _trend_sum(totals, 2) }} - power({{ _trend_sum(totals, 1) }}, 2)),
        0
    )
{%- endmacro %}

{# Has the sign of the slope of a proportion; `without` (1..5) leaves one period out. #}
{% macro trend_slope_proportion(events, totals, without=0) -%}
    {{ _trend_sum(totals, 0, without) }} * {{ _trend_sum(events, 1, without) }}
    - {{ _trend_sum(events, 0, without) }} * {{ _trend_sum(totals, 1, without) }}
{%- endmacro %}

{# The same pair for rates known by value and weight = 1 / se², se = (upper - lower) / 3.92.
   weighted: expressions value * weight. #}
{% macro trend_chi2_weighted(weighted, weights) -%}
    power({{ trend_slope_weighted(weighted, weights) }}, 2)
    / nullif(
        {{ _trend_sum(weights) }}
        * ({{ _trend_sum(weights) }} * {{ _trend_sum(weights, 2) }} - power({{ _trend_sum(weights, 1) }}, 2)),
        0
    )
{%- endmacro %}

{% macro trend_slope_weighted(weighted, weights, without=0) -%}
    (
        {{ _trend_sum(weights, 0, without) }} * {{ _trend_sum(weighted, 1, without) }}
        - {{ _trend_sum(weights, 1, without) }} * {{ _trend_sum(weighted, 0, without) }}
    )
{%- endmacro %}
