-- One row: the release that this report shows.
select
    release_id,
    strftime(created, '%d.%m.%Y') as erstellt,
    year,
    code_version,
    input_hash
from meta_release
