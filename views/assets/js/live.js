// The few lines that HTML and htmx have no words for: saying whether the page is live, since when it is not,
// pausing it, and not losing one's place. Without this file the page still reads, and its forms still work.
const silenceMaxMs = 45_000; // the server sends something at least every 15 s
const graceMs = 2_000; // a reconnection that is quicker than this is nobody's concern
const retryMinMs = 2_000;
const retryMaxMs = 60_000;

let streamPath = document.body.getAttribute('hx-sse:connect');
const stateText = document.getElementById('live-state');
const pauseButton = document.getElementById('live-pause');

let connection = null;
let streamRequest = null; // what htmx asks with, also when it asks again
let heardPath = null; // what the open stream tells of
let lastSeen = new Date();
let paused = false;
let isSignedOut = false;
let graceTimer = 0;
let retryTimer = 0;
let retryMs = retryMinMs;

function say(text) {
  if (stateText.textContent !== text) stateText.textContent = text;
}

function show(stale) {
  document.body.classList.toggle('stale', stale);
  const time = lastSeen.toLocaleTimeString();
  if (paused) say(`Paused at ${time}`);
  else if (isSignedOut) sayIsSignedOut();
  else if (stale) say(`Connection lost, last seen ${time}`);
  else say('Live');
}

// What was typed stays: signing in happens in another tab, and the stream goes on by itself then.
function sayIsSignedOut() {
  if (stateText.querySelector('a')) return;
  const link = document.createElement('a');
  link.href = `${document.querySelector('.brand').pathname}login`;
  link.target = '_blank';
  link.textContent = 'Sign in again';
  stateText.replaceChildren('Signed out. ', link);
}

function onSign() {
  isSignedOut = false;
  clearTimeout(graceTimer);
  graceTimer = 0;
  lastSeen = new Date();
  show(false);
}

function onLoss() {
  if (paused || document.hidden || graceTimer) return;
  graceTimer = setTimeout(() => show(true), graceMs);
}

// htmx reconnects a stream that was open once, but gives up when the very first attempt fails.
function retryFirstConnection() {
  onLoss();
  clearTimeout(retryTimer);
  retryTimer = setTimeout(() => {
    htmx.ajax('GET', streamPath, { source: document.body, swap: 'none' });
  }, retryMs);
  retryMs = Math.min(retryMs * 2, retryMaxMs);
}

function isFirstConnection(event) {
  return connection === null && event.detail?.ctx?.sourceElement === document.body;
}

/** Whether it is the page's own stream, and not the answer to a form that comes as one. */
function isOwn(event) {
  return event.target === document.body;
}

if (streamPath && stateText && pauseButton) {
  document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => {
    if (ctx.sourceElement === document.body) streamRequest = ctx.request;
  });
  document.addEventListener('htmx:sse:after:connection', (event) => {
    if (!isOwn(event)) return;
    connection = event.detail.connection;
    heardPath = streamPath;
    retryMs = retryMinMs;
    if (!paused) onSign();
  });
  document.addEventListener('htmx:sse:before:message', (event) => {
    if (!isOwn(event)) return;
    if (paused || (heardPath !== null && heardPath !== streamPath)) event.preventDefault();
    else onSign();
  });
  document.addEventListener('htmx:sse:before:connection', (event) => {
    if (isOwn(event) && event.detail.connection.attempt > 0) onLoss();
  });
  document.addEventListener('htmx:sse:error', (event) => {
    if (!isOwn(event)) return;
    if (event.detail.status === 401) isSignedOut = true;
    onLoss();
  });
  document.addEventListener('htmx:sse:close', (event) => {
    if (!isOwn(event)) return;
    connection = null;
    retryFirstConnection();
  });
  for (const name of ['htmx:error', 'htmx:response:error']) {
    document.addEventListener(name, (event) => {
      if (isFirstConnection(event)) retryFirstConnection();
    });
  }

  // The page shows something else under a new address: the stream is asked for that.
  document.addEventListener('htmx:after:history:update', () => {
    const base = streamPath.slice(0, streamPath.indexOf('/live?'));
    const shown = (location.pathname + location.search).slice(base.length);
    const path = `${base}/live?at=${encodeURIComponent(shown)}`;
    if (path === streamPath || !streamRequest) return;
    streamPath = path;
    streamRequest.action = path;
    connection?.reader?.cancel();
  });

  // A line that is cut without a word: nothing comes, and nothing fails. Asking again ends the doubt.
  setInterval(() => {
    if (paused || document.hidden || Date.now() - lastSeen < silenceMaxMs) return;
    show(true);
    connection?.reader?.cancel();
  }, 5_000);

  pauseButton.hidden = false;
  pauseButton.addEventListener('click', () => {
    paused = !paused;
    pauseButton.setAttribute('aria-pressed', String(paused));
    show(false);
    // A new connection begins with the whole state, so nothing of the pause is missed.
    if (!paused) connection?.reader?.cancel();
  });
}

// When the focused button goes with what it removed, the focus stays with its entry instead of falling to the top.
let focusedEntry = null;
document.addEventListener('htmx:before:swap', () => {
  focusedEntry = document.activeElement?.closest('.quality-panel, .item-body')?.id ?? null;
});
document.addEventListener('htmx:after:swap', () => {
  if (focusedEntry === null || document.activeElement !== document.body) return;
  document.getElementById(focusedEntry)?.querySelector('a, button, summary')?.focus();
});
