{{ delivered_aggregates('kinder_sgb2', source('kreis', 'kinder_sgb2')) }}
