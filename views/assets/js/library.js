// The library: an address says only what was chosen; ticking a row of titles with Shift, or all of them; how many are.
document.addEventListener('formdata', (event) => {
  if (event.target.dataset?.sparse === undefined) return;
  for (const [name, value] of [...event.formData]) if (value === '') event.formData.delete(name);
});

const picks = () => [...document.querySelectorAll('.items [name="item"]')];
let lastPick = null;

function showPicks() {
  const all = picks();
  const count = all.filter((pick) => pick.checked).length;
  const text = document.querySelector('[data-pick-count]');
  if (text) text.textContent = count === 0 ? 'the selected' : `${count} selected`;
  const whole = document.querySelector('[data-pick-all]');
  if (!whole) return;
  whole.hidden = false;
  const box = whole.querySelector('input');
  box.checked = count > 0 && count === all.length;
  box.indeterminate = count > 0 && count < all.length;
}

document.addEventListener('click', (event) => {
  const pick = event.target.closest?.('.items [name="item"]');
  if (pick) {
    const all = picks();
    const from = all.indexOf(lastPick);
    const to = all.indexOf(pick);
    if (event.shiftKey && from >= 0) {
      for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = pick.checked;
    }
    lastPick = pick;
  } else if (event.target.closest?.('[data-pick-all] input')) {
    for (const one of picks()) one.checked = event.target.checked;
  } else return;
  showPicks();
});

document.addEventListener('htmx:after:swap', showPicks);
showPicks();
