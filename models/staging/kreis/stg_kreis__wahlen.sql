{{ delivered_aggregates('wahlen', source('kreis', 'wahlen')) }}
