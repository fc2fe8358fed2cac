{{ delivered_aggregates('wohnungen', source('it_nrw', 'wohnungen')) }}
