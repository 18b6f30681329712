// Copy buttons, and single keys that lead around. Keys are of the links of the navigation (data-key), typed behind "g".
// WCAG 2.1.4: they can be turned off, on this browser (help page) or for an account (data-shortcuts on <html>).
const storageKey = 'larder-shortcuts';
const goWaitMs = 1_500;

function stored() {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null; // storage may be forbidden
  }
}

function areOn() {
  return document.documentElement.dataset.shortcuts !== 'off' && stored() !== 'off';
}

const toggle = document.getElementById('shortcuts-switch');
if (toggle) {
  const show = () => toggle.setAttribute('aria-pressed', String(stored() !== 'off'));
  toggle.hidden = false;
  show();
  toggle.addEventListener('click', () => {
    try {
      localStorage.setItem(storageKey, stored() === 'off' ? 'on' : 'off');
    } catch {
      // Nothing to keep it in: it stays as it is.
    }
    show();
  });
}

let goUntilMs = 0;

function link(path) {
  return document.querySelector(`[data-key="${path}"]`);
}

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !areOn()) return;
  if (event.target.closest?.('input, textarea, select, video, audio, dialog, [contenteditable]')) return;
  const isGo = event.timeStamp < goUntilMs;
  goUntilMs = 0;
  if (isGo && /^[a-z]$/.test(event.key)) {
    const target = link(event.key);
    if (!target) return;
    event.preventDefault();
    target.click();
  } else if (event.key === 'g') {
    goUntilMs = event.timeStamp + goWaitMs;
  } else if (event.key === '?') {
    document.querySelector('[data-help]')?.click();
  } else if (event.key === '/') {
    const field = document.querySelector('input[type="search"]');
    event.preventDefault();
    if (field) field.focus();
    else link('l')?.click();
  }
});

// Without a secure context there is no clipboard: the field is selected then, for the keyboard's own copy.
function showCopyButtons(root) {
  for (const button of root.querySelectorAll('[data-copy][hidden]')) button.hidden = false;
}

showCopyButtons(document);
document.addEventListener('htmx:after:swap', () => showCopyButtons(document));
document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('[data-copy]');
  const field = button && document.getElementById(button.dataset.copy);
  if (!field) return;
  field.focus();
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Selected';
  }
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 2_000);
});
