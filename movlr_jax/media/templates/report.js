document.querySelectorAll('video[data-same]').forEach(v => {
  const o = document.getElementById(v.dataset.same);
  if (o) v.closest('details').addEventListener('toggle', () => { if (!v.src) v.src = o.src; });
  if (o && v.closest('details').open) v.src = o.src;
});
// How an episode ended stands on a clip's last frames alone: they stay for a moment before it begins again.
document.querySelectorAll('video').forEach(v => {
  v.loop = false;
  v.addEventListener('ended', () => setTimeout(() => { if (v.ended) v.play(); }, 800));
});
document.querySelectorAll('button[data-do]').forEach(b => b.addEventListener('click', () => {
  document.querySelectorAll('#' + b.dataset.of + ' video').forEach(v => {
    if (b.dataset.do === 'play') { v.currentTime = 0; v.play(); }
    if (b.dataset.do === 'pause') v.pause();
    if (b.dataset.do === 'rate') v.playbackRate = Number(b.dataset.rate);
  });
}));
