{{ delivered_aggregates('sgb2', source('jobcenter', 'sgb2')) }}
