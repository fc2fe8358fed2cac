-- One row per delivery ever judged.
select
    delivery_id,
    coalesce(feed, 'unbekannt') as feed,
    coalesce(feed_title, 'Nicht erkennbar') as feed_title,
    deliverer,
    deliverer_name,
    year,
    strftime(received, '%d.%m.%Y') as eingegangen,
    sha256,
    row_count,
    state,
    reason,
    n_errors,
    n_warnings
from meta_delivery
order by feed, deliverer, year, received, delivery_id
