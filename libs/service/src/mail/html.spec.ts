import { describe, expect, it } from '@jest/globals';
import { html } from './html.js';

describe('html', () => {
  it('escapes every value, also in attributes', () => {
    const text = `<b>&"'`;
    expect(html`<a title="${text}">${text}${5}</a>`.toString()).toBe(
      '<a title="&lt;b&gt;&amp;&quot;&#39;">&lt;b&gt;&amp;&quot;&#39;5</a>',
    );
  });

  it('takes other templates, and lists of them, as they are', () => {
    const items = ['a', '<b>'].map((name) => html`<i>${name}</i>`);
    const rule = html`<b></b>`;
    expect(html`<p>${items}${rule}</p>`.toString()).toBe('<p><i>a</i><i>&lt;b&gt;</i><b></b></p>');
  });

  it.each(['javascript:alert(1)', ' javascript:x', 'data:text/html,x', '//evil.test', 'JAVASCRIPT:x', ''])(
    'refuses %j as a link',
    (address) => {
      expect(() => html`<a href="${address}">x</a>`).toThrow('html: a link does not begin with');
      expect(() => html`<img src="${address}" />`).toThrow('html: a link does not begin with');
    },
  );

  it.each(['https://a.test/?q=1&r=2', 'http://a.test', 'mailto:a@a.test'])('accepts %j as a link', (address) => {
    expect(html`<a href="${address}">x</a>`.toString()).toContain(address.replace('&', '&amp;'));
  });

  it('refuses a value as an attribute without quotes', () => {
    expect(() => html`<a title=${'x onclick=y'}>x</a>`).toThrow('an attribute without quotes');
  });
});
