const table = document.querySelector('table.sortable'), preview = document.getElementById('preview');
const key = (row, i) => {
  const v = row.cells[i].dataset.v;
  return v === undefined ? row.cells[i].textContent : v === '' ? null : Number(v);
};
table.querySelectorAll('th button').forEach(b => b.addEventListener('click', () => {
  const th = b.parentElement, i = th.cellIndex, up = th.getAttribute('aria-sort') === 'descending';
  table.querySelectorAll('th').forEach(o => o.removeAttribute('aria-sort'));
  th.setAttribute('aria-sort', up ? 'ascending' : 'descending');
  const body = table.tBodies[0], rows = [...body.rows];
  rows.sort((p, q) => {
    const a = key(p, i), b = key(q, i);
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
    return up ? order : -order;
  });
  body.append(...rows);
}));
const show = (t, on) => {
  document.querySelectorAll(`[data-t="${t}"]`).forEach(e => e.classList.toggle('on', on));
  document.querySelectorAll('svg').forEach(s => s.classList.toggle('some', on));
};
document.querySelectorAll('[data-t]').forEach(e => {
  const clip = document.getElementById('clip-' + e.dataset.t), own = e.contains(clip) ? clip : preview;
  e.addEventListener('mouseenter', () => {
    show(e.dataset.t, true);
    if (!clip) return;
    if (own === preview) { preview.src = clip.src; preview.classList.add('on'); }
    own.currentTime = 0;
    own.play();
  });
  e.addEventListener('mouseleave', () => {
    show(e.dataset.t, false);
    if (clip) { own.pause(); preview.classList.remove('on'); }
  });
});
