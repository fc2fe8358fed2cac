{{ delivered_aggregates('arbeitslose', source('jobcenter', 'arbeitslose')) }}
