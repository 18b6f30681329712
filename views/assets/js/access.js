// "Show" beside a password: what was typed can be looked at, without being asked for twice.
for (const button of document.querySelectorAll('[data-reveals]')) button.hidden = false;
document.addEventListener('click', (event) => {
  const button = event.target.closest?.('[data-reveals]');
  if (!button) return;
  const field = document.getElementById(button.dataset.reveals);
  const isShown = field.type === 'text';
  field.type = isShown ? 'password' : 'text';
  button.setAttribute('aria-pressed', String(!isShown));
  button.textContent = isShown ? 'Show' : 'Hide';
});
// It must not be sent as text that browsers remember.
document.addEventListener('submit', (event) => {
  for (const button of event.target.querySelectorAll('[data-reveals][aria-pressed="true"]')) button.click();
});
