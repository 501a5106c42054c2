/**
 * Hosts where anybody gets an address: a customer is never recognised by one (T-40). `domain` keys pass over them on both
 * sides.
 */
export const freeMailDomains: readonly string[] = `
  126.com 139.com 163.com aim.com alice.it aliyun.com aol.com aol.de arcor.de att.net bell.net bellsouth.net bigpond.com
  bluewin.ch bol.com.br bt.com btinternet.com centurylink.net charter.net comcast.net cox.net daum.net duck.com
  earthlink.net email.com fastmail.com fastmail.fm foxmail.com free.fr freenet.de
  frontier.com gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hanmail.net hey.com hotmail.be hotmail.ca
  hotmail.co.uk hotmail.com hotmail.com.br hotmail.de hotmail.es hotmail.fr hotmail.it hotmail.nl hushmail.com icloud.com
  ig.com.br inbox.com inbox.lv interia.pl juno.com kakao.com laposte.net libero.it list.ru live.be live.ca live.co.uk
  live.com live.com.au live.de live.fr live.it live.nl mac.com mail.com mail.ru mailbox.org mailinator.com me.com
  msn.com nate.com naver.com netzero.net ntlworld.com o2.pl online.de onet.pl optonline.net orange.fr outlook.com
  outlook.com.br outlook.de outlook.es outlook.fr outlook.it outlook.jp pm.me posteo.de proton.me protonmail.ch
  protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com rogers.com sapo.pt sbcglobal.net seznam.cz sfr.fr
  shaw.ca sina.com sky.com skynet.be sohu.com suddenlink.net swissonline.ch sympatico.ca t-online.de talktalk.net
  telenet.be telia.com telus.net terra.com.br tin.it tiscali.it tiscali.co.uk tuta.com tuta.io tutanota.com tutanota.de
  uol.com.br verizon.net virgilio.it virgin.net virginmedia.com wanadoo.fr web.de windstream.net wp.pl xs4all.nl
  xtra.co.nz yahoo.ca yahoo.co.id yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.ar yahoo.com.au yahoo.com.br
  yahoo.com.mx yahoo.de yahoo.es yahoo.fr yahoo.in yahoo.it yandex.com yandex.ru yeah.net ymail.com zoho.com
`
  .trim()
  .split(/\s+/);

const known = new Set(freeMailDomains);

export function isFreeMail(domain: string): boolean {
  return known.has(domain);
}
