{# What is read out of a person's row. Plain SQL that means the same on DuckDB and Spark. #}

{# A date as the number yyyymmdd, so that two dates can be compared by arithmetic. #}
{% macro date_number(day) -%}
    (extract(year from {{ day }}) * 10000 + extract(month from {{ day }}) * 100 + extract(day from {{ day }}))
{%- endmacro %}

{# Age in completed years on a day: 31.12.2008 is 14 on 30.12.2023 and 15 on 31.12.2023. #}
{% macro completed_years(birth_date, on_date) -%}
    cast(floor(({{ date_number(on_date) }} - {{ date_number(birth_date) }}) / 10000.0) as int)
{%- endmacro %}

{# Sex as published, m or w. Persons registered as divers or without entry are so few in a Sozialraum that a
   third group would have to be suppressed everywhere; they are split evenly by the MD5 of their register key
   (first hex digit 0-7: m, 8-f: w), as official statistics does at random. The same person falls on the same
   side on every engine and in every rebuild. #}
{% macro published_sex(sex, person_key) -%}
    case
        when {{ sex }} in ('m', 'w') then {{ sex }}
        when substring(md5({{ person_key }}), 1, 1) < '8' then 'm'
        else 'w'
    end
{%- endmacro %}
