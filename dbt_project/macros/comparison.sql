{# Position of a value against a benchmark (docs/methods.md); NULL without an interval or a benchmark. #}
{% macro compared(benchmark) -%}
    case
        when {{ benchmark }} is null or ci_lower is null or ci_upper is null then null
        when {{ benchmark }} between ci_lower and ci_upper then 'aehnlich'
        when polarity = 'neutral' and value > {{ benchmark }} then 'hoeher'
        when polarity = 'neutral' then 'niedriger'
        when polarity = 'strength' and value > {{ benchmark }} then 'guenstiger'
        when polarity = 'burden' and value < {{ benchmark }} then 'guenstiger'
        else 'unguenstiger'
    end
{%- endmacro %}
