const url = document.documentElement.dataset.push; // ws://push.example/ws
const library = new URL('/client/pushbridge-client.js', url.replace(/^ws/, 'http'));
const { PushClient } = await import(library);

const push = new PushClient(url, { token: async () => (await fetch('/token')).text() });
push.on('notice', ({ text }) => {
  const item = document.createElement('li');
  item.textContent = text; // textContent, never innerHTML
  document.getElementById('notices').append(item);
});
push.addEventListener('state', ({ detail }) => (document.getElementById('state').textContent = detail.state));
