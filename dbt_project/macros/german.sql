{# Numbers as Germans write them, for sentences. Plain SQL that means the same on DuckDB and Spark. #}

{# 12.34 -> 12,3; digits is a number known when the SQL is compiled. #}
{% macro german_number(number, digits=1) -%}
    replace(
        cast(cast(round({{ number }}, {{ digits }}) as decimal(18, {{ digits }})) as string), '.', ','
    )
{%- endmacro %}

{# What follows the number of an indicator. #}
{% macro german_unit(unit) -%}
    case {{ unit }} when 'percent' then ' %' when 'per_1000' then ' je 1.000' else '' end
{%- endmacro %}

{# The texts of a group in one, with semicolons, without NULLs. Spark: array_join of a sorted collect_list. #}
{% macro listed(text, order) -%}
    string_agg({{ text }}, '; ' order by {{ order }})
{%- endmacro %}
