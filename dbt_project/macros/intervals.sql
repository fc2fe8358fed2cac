{# 95 % confidence intervals; formulas and sources in docs/methods.md. NULL where they are undefined. #}

{% macro z_95() -%} 1.959964 {%- endmacro %}

{# Wilson interval of the proportion events / total, as a fraction of 1. bound: 'lower' or 'upper'. #}
{% macro wilson(bound, events, total) -%}
    {%- set z2 = '(' ~ z_95() ~ ' * ' ~ z_95() ~ ')' -%}
    {%- set share = events ~ ' / ' ~ total -%}
    {%- set spread = z_95() ~ ' * sqrt(' ~ z2 ~ ' + 4 * ' ~ events ~ ' * (1 - ' ~ share ~ '))' -%}
    case
        when {{ total }} > 0 and {{ events }} between 0 and {{ total }}
            then
                (2 * {{ events }} + {{ z2 }} {{ '-' if bound == 'lower' else '+' }} {{ spread }})
                / (2 * ({{ total }} + {{ z2 }}))
    end
{%- endmacro %}

{# Byar's approximation of the Poisson interval of a count, in events. bound: 'lower' or 'upper'. #}
{% macro byar(bound, events) -%}
    {% if bound == 'lower' -%}
    case
        when {{ events }} = 0 then 0
        when {{ events }} > 0
            then {{ events }} * power(
                1 - 1 / (9 * nullif({{ events }}, 0)) - {{ z_95() }} / (3 * nullif(sqrt({{ events }}), 0)), 3
            )
    end
    {%- else -%}
    case
        when {{ events }} >= 0
            then ({{ events }} + 1) * power(
                1 - 1 / (9 * ({{ events }} + 1)) + {{ z_95() }} / (3 * sqrt({{ events }} + 1)), 3
            )
    end
    {%- endif %}
{%- endmacro %}
