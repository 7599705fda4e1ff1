PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE contacts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        email TEXT NOT NULL COLLATE NOCASE UNIQUE,
        name TEXT NOT NULL,
        created_at TEXT NOT NULL
    );
INSERT INTO "contacts" VALUES(101,'client@example.com','Jean Dupont','2026-03-02T09:00:00+00:00');
INSERT INTO "contacts" VALUES(102,'autre@example.org','Jean Dupont','2026-03-02T09:10:00+00:00');
CREATE TABLE messages (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        ticket_id INTEGER REFERENCES tickets,
        direction TEXT NOT NULL,
        key TEXT NOT NULL,
        document TEXT NOT NULL
    );
INSERT INTO "messages" VALUES(1,'<quote.1.2WOO5RROD2@figurative.example>',1001,'out','a448887a5cc3c2e8d11d5bf080030db0:record:quote:1','{"id":"<quote.1.2WOO5RROD2@figurative.example>","direction":"out","ticket_id":"1001","thread":null,"sender":"","sender_name":"","subject":"Votre devis : 2 crédits pour « Fauteuil Oslo » [#2WOO5RROD2]","text":"Bonjour Jean Dupont,\n\nNous avons étudié votre demande « Fauteuil Oslo ». Votre devis est de 2 crédits.\n\nCe prix comprend :\n\n- la modélisation 3D complète de l''objet\n- ses textures et ses matières\n- un fichier prêt pour la réalité augmentée\n\nPour accepter ce devis, répondez à ce message : Je valide\n\nLa modélisation commence dès votre accord, et rien n''est engagé sans lui. Toute autre réponse (une question, une remarque, un changement) sera lue par une personne de notre équipe, qui vous répondra.\n\nL''équipe Figurative\nRéférence de votre demande : 2WOO5RROD2\n","html":null,"headers":{},"sent_at":"2026-03-02T09:00:00Z","attachments":[]}');
INSERT INTO "messages" VALUES(2,'1234a2e88bc8a72bcda1ad0cc171bda8',1001,'in','','{"id":"1234a2e88bc8a72bcda1ad0cc171bda8","direction":"in","ticket_id":"1001","thread":null,"sender":"client@example.com","sender_name":"Jean Dupont","subject":"Re: Votre devis : 2 crédits pour « Fauteuil Oslo » [#2WOO5RROD2]","text":"Je valide\n\nLe 02/03/2026 à 09:00, Figurative <support@figurative.example> a écrit :\n\n> Bonjour Jean Dupont,\n>\n> Nous avons étudié votre demande « Fauteuil Oslo ». Votre devis est de 2 crédits.\n>\n> Ce prix comprend :\n>\n> - la modélisation 3D complète de l''objet\n> - ses textures et ses matières\n> - un fichier prêt pour la réalité augmentée\n>\n> Pour accepter ce devis, répondez à ce message : Je valide\n>\n> La modélisation commence dès votre accord, et rien n''est engagé sans lui. Toute autre réponse (une question, une remarque, un changement) sera lue par une personne de notre équipe, qui vous répondra.\n>\n> L''équipe Figurative\n> Référence de votre demande : 2WOO5RROD2\n","html":null,"headers":{"from":"Jean Dupont <client@example.com>","to":"Figurative <support@figurative.example>","subject":"Re: Votre devis : 2 crédits pour « Fauteuil Oslo » [#2WOO5RROD2]","date":"Mon, 02 Mar 2026 09:00:00 +0000","message-id":"<1772442000.000000.client@localhost>","in-reply-to":"<quote.1.2WOO5RROD2@figurative.example>","references":"<quote.1.2WOO5RROD2@figurative.example>","content-type":"text/plain; charset=\"utf-8\"","content-transfer-encoding":"quoted-printable","mime-version":"1.0"},"sent_at":"2026-03-02T09:00:00Z","attachments":[]}');
INSERT INTO "messages" VALUES(3,'<confirmation.2WOO5RROD2@figurative.example>',1001,'out','a448887a5cc3c2e8d11d5bf080030db0:record:confirmation','{"id":"<confirmation.2WOO5RROD2@figurative.example>","direction":"out","ticket_id":"1001","thread":null,"sender":"","sender_name":"","subject":"C''est validé : la modélisation de « Fauteuil Oslo » commence [#2WOO5RROD2]","text":"Bonjour Jean Dupont,\n\nVotre demande « Fauteuil Oslo » est validée pour 2 crédits. Elle vient d''être confiée à nos modeleurs.\n\nNous vous écrirons dès que le modèle sera prêt. Vous pouvez répondre à ce message à tout moment : une personne de notre équipe vous lira.\n\nL''équipe Figurative\nRéférence de votre demande : 2WOO5RROD2\n","html":null,"headers":{},"sent_at":"2026-03-02T09:00:00Z","attachments":[]}');
INSERT INTO "messages" VALUES(4,'<info.1.RVI2UXSTED@figurative.example>',1002,'out','9434c8eff9d98e2279b00866b34e0329:record:info:1','{"id":"<info.1.RVI2UXSTED@figurative.example>","direction":"out","ticket_id":"1002","thread":null,"sender":"","sender_name":"","subject":"Il nous manque des éléments pour votre demande « Chaise » [#RVI2UXSTED]","text":"Bonjour Jean Dupont,\n\nNous avons bien reçu votre demande de modélisation « Chaise » et nous vous en remercions.\n\nPour pouvoir la chiffrer, il nous manque :\n\n- au moins une photo nette de l''objet (jpg, png, heic…), un plan coté (pdf, dwg) ou un fichier 3D (glb, usdz, obj, fbx, step…)\n\nMerci de répondre simplement à ce message en y joignant ces éléments. Dès réception, nous étudierons de nouveau votre demande.\n\nL''équipe Figurative\nRéférence de votre demande : RVI2UXSTED\n","html":null,"headers":{},"sent_at":"2026-03-02T09:10:00Z","attachments":[]}');
INSERT INTO "messages" VALUES(5,'<quote.1.BVLVEHF2P3@figurative.example>',1003,'out','f117adabf9e51809fc64c7e54f0d2bbd:record:quote:1','{"id":"<quote.1.BVLVEHF2P3@figurative.example>","direction":"out","ticket_id":"1003","thread":null,"sender":"","sender_name":"","subject":"Votre devis : 2 crédits pour « Fauteuil Bergen » [#BVLVEHF2P3]","text":"Bonjour Jean Dupont,\n\nNous avons étudié votre demande « Fauteuil Bergen ». Votre devis est de 2 crédits.\n\nCe prix comprend :\n\n- la modélisation 3D complète de l''objet\n- ses textures et ses matières\n- un fichier prêt pour la réalité augmentée\n\nPour accepter ce devis, répondez à ce message : Je valide\n\nLa modélisation commence dès votre accord, et rien n''est engagé sans lui. Toute autre réponse (une question, une remarque, un changement) sera lue par une personne de notre équipe, qui vous répondra.\n\nL''équipe Figurative\nRéférence de votre demande : BVLVEHF2P3\n","html":null,"headers":{},"sent_at":"2026-03-02T09:10:00Z","attachments":[]}');
INSERT INTO "messages" VALUES(6,'94a8c3999ba0decd6c39674f78793e71',1003,'in','','{"id":"94a8c3999ba0decd6c39674f78793e71","direction":"in","ticket_id":"1003","thread":null,"sender":"autre@example.org","sender_name":"Jean Dupont","subject":"Re: Votre devis : 2 crédits pour « Fauteuil Bergen » [#BVLVEHF2P3]","text":"Vous livrez quand ?\n\nLe 02/03/2026 à 09:10, Figurative <support@figurative.example> a écrit :\n\n> Bonjour Jean Dupont,\n>\n> Nous avons étudié votre demande « Fauteuil Bergen ». Votre devis est de 2 crédits.\n>\n> Ce prix comprend :\n>\n> - la modélisation 3D complète de l''objet\n> - ses textures et ses matières\n> - un fichier prêt pour la réalité augmentée\n>\n> Pour accepter ce devis, répondez à ce message : Je valide\n>\n> La modélisation commence dès votre accord, et rien n''est engagé sans lui. Toute autre réponse (une question, une remarque, un changement) sera lue par une personne de notre équipe, qui vous répondra.\n>\n> L''équipe Figurative\n> Référence de votre demande : BVLVEHF2P3\n","html":null,"headers":{"from":"Jean Dupont <autre@example.org>","to":"Figurative <support@figurative.example>","subject":"Re: Votre devis : 2 crédits pour « Fauteuil Bergen » [#BVLVEHF2P3]","date":"Mon, 02 Mar 2026 09:10:00 +0000","message-id":"<1772442600.000000.client@localhost>","in-reply-to":"<quote.1.BVLVEHF2P3@figurative.example>","references":"<quote.1.BVLVEHF2P3@figurative.example>","content-type":"text/plain; charset=\"utf-8\"","content-transfer-encoding":"quoted-printable","mime-version":"1.0"},"sent_at":"2026-03-02T09:10:00Z","attachments":[]}');
INSERT INTO "messages" VALUES(7,'528bb4c987353fafe0d7587d126d1175',NULL,'in','','{"id":"528bb4c987353fafe0d7587d126d1175","direction":"in","ticket_id":null,"thread":null,"sender":"inconnu@example.net","sender_name":"Zoe","subject":"Bonjour","text":"Vous existez ?","html":null,"headers":{"from":"Zoe <inconnu@example.net>","subject":"Bonjour","date":"Mon, 02 Mar 2026 09:09:00 +0000"},"sent_at":"2026-03-02T09:09:00Z","attachments":[]}');
CREATE TABLE notes (
        id INTEGER PRIMARY KEY,
        ticket_id INTEGER NOT NULL REFERENCES tickets,
        key TEXT NOT NULL,
        text TEXT NOT NULL,
        created_at TEXT NOT NULL
    );
INSERT INTO "notes" VALUES(1,1003,'f117adabf9e51809fc64c7e54f0d2bbd:note:865e526c2629','Message du client à traiter (question), de autre@example.org :

Vous livrez quand ?

- the client asks: « Vous livrez quand ? »','2026-03-02T09:10:00+00:00');
CREATE TABLE subtasks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        marker TEXT NOT NULL,
        name TEXT NOT NULL,
        body TEXT NOT NULL,
        created_at TEXT NOT NULL
    );
INSERT INTO "subtasks" VALUES(501,'[REF-2WOO5RROD2]','Fauteuil Oslo — Jean Dupont [REF-2WOO5RROD2]','**Client** : Jean Dupont (client@example.com)
**Crédits** : 2
**Ticket** : local://tickets/1001

## Demande
**Fauteuil Oslo**

> Un fauteuil à modéliser avec ses textures.

## Fichiers
- [fauteuil.jpg](file:///HOME/files/84063c7326dc12835774bb87d2ccc818/01-fauteuil.jpg) : JPEG, 93,6 ko, 1600 × 1200

## Estimation (COMPLET)
- modélisation complète avec textures d''un objet standard : « fauteuil »','2026-03-02T09:00:00+00:00');
CREATE TABLE tickets (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        reference TEXT NOT NULL,
        subject TEXT NOT NULL,
        content TEXT NOT NULL,
        contact_id INTEGER NOT NULL REFERENCES contacts,
        properties TEXT NOT NULL,
        created_at TEXT NOT NULL
    );
INSERT INTO "tickets" VALUES(1001,'a448887a5cc3c2e8d11d5bf080030db0','2WOO5RROD2','Fauteuil Oslo','Demande de Jean Dupont <client@example.com> — référence [#2WOO5RROD2]

Un fauteuil à modéliser avec ses textures.

Fichiers :
- fauteuil.jpg : file:///HOME/files/84063c7326dc12835774bb87d2ccc818/01-fauteuil.jpg
  JPEG, 93,6 ko, 1600 × 1200

Classement : MODELISATION
- le texte parle de modélisation : « à modéliser », « avec ses textures »',101,'{"fichiers_urls":"file:///HOME/files/84063c7326dc12835774bb87d2ccc818/01-fauteuil.jpg","validation_status":"validated","credits_estimes":"2","clickup_subtask_id":"501"}','2026-03-02T09:00:00+00:00');
INSERT INTO "tickets" VALUES(1002,'9434c8eff9d98e2279b00866b34e0329','RVI2UXSTED','Chaise','Demande de Jean Dupont <client@example.com> — référence [#RVI2UXSTED]

Une chaise à modéliser.

Classement : MODELISATION
- le texte parle de modélisation : « à modéliser »',101,'{"fichiers_urls":"","validation_status":"pending_info","credits_estimes":""}','2026-03-02T09:10:00+00:00');
INSERT INTO "tickets" VALUES(1003,'f117adabf9e51809fc64c7e54f0d2bbd','BVLVEHF2P3','Fauteuil Bergen','Demande de Jean Dupont <autre@example.org> — référence [#BVLVEHF2P3]

Un fauteuil à modéliser avec ses textures.

Fichiers :
- fauteuil.jpg : file:///HOME/files/1585c7e81813d30cb7c89fb3ffb6dc43/01-fauteuil.jpg
  JPEG, 93,6 ko, 1600 × 1200

Classement : MODELISATION
- le texte parle de modélisation : « à modéliser », « avec ses textures »',102,'{"fichiers_urls":"file:///HOME/files/1585c7e81813d30cb7c89fb3ffb6dc43/01-fauteuil.jpg","validation_status":"pending_credits","credits_estimes":"2"}','2026-03-02T09:10:00+00:00');
INSERT INTO "tickets" VALUES(1004,'801f837fdf8eee7d9bec63998ccc1f7f','2YKWWRIEPH','Facture','Demande de Jean Dupont <client@example.com> — référence [#2YKWWRIEPH]

Je n''ai pas reçu ma facture.

Classement : SUPPORT
- le texte parle de support : « facture »',101,'{"fichiers_urls": ""}','2026-03-02T09:10:00+00:00');
CREATE INDEX tickets_reference ON tickets (reference);
CREATE INDEX notes_key ON notes (ticket_id, key);
CREATE INDEX messages_ticket ON messages (ticket_id);
CREATE UNIQUE INDEX messages_in ON messages (id) WHERE direction = 'in';
CREATE INDEX subtasks_marker ON subtasks (marker);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('contacts',102);
INSERT INTO "sqlite_sequence" VALUES('tickets',1004);
INSERT INTO "sqlite_sequence" VALUES('subtasks',501);
COMMIT;
