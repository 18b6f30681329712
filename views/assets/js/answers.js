// What an act says: one that got no answer says that, too; and a notice that stands in the way can be put away.
const noticePlace = document.getElementById('notice');

function sayFailed(text) {
  const notice = document.createElement('div');
  notice.className = 'notice failed';
  notice.setAttribute('role', 'alert');
  const what = document.createElement('strong');
  what.textContent = 'Not done: ';
  notice.append(what, text);
  noticePlace.replaceChildren(notice);
}

function isPost(ctx) {
  return ctx.request?.method?.toUpperCase() === 'POST';
}

// The page's own stream tells of itself (live.js).
function isAsked(ctx) {
  return ctx?.sourceElement !== undefined && ctx.sourceElement !== document.body;
}

document.addEventListener('htmx:error', ({ detail: { ctx } }) => {
  if (!isAsked(ctx)) return;
  // It was sent, and nobody knows what became of it.
  if (ctx.request?.signal?.reason === 'timeout') {
    sayFailed('Larder took too long to answer. It may still happen: look again before you repeat it.');
  } else if (isPost(ctx)) sayFailed('Larder does not answer. As far as this page knows, nothing was changed.');
  else sayFailed('Larder does not answer. What you see is as it was.');
});

// Larder's own words come with most refusals; those of a proxy in front of it are for nobody.
document.addEventListener('htmx:response:error', ({ detail: { ctx } }) => {
  if (!isAsked(ctx) || ctx.text?.includes('<hx-partial')) return;
  const title = new DOMParser().parseFromString(ctx.text ?? '', 'text/html').querySelector('main h1')?.textContent;
  sayFailed(title ? `${title}.` : `the answer was an error (${ctx.response.status}). Try again in a moment.`);
});

document.addEventListener('click', (event) => {
  if (!event.target.closest?.('[data-dismiss]')) return;
  noticePlace.replaceChildren();
  document.getElementById('main').focus({ preventScroll: true });
});
