#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# Homes of the group lab: of one a move was begun by hand, one is not called like its user, one has moved already.
set -eu
groupadd lab
groupadd plotters
useradd --create-home --shell /bin/bash --groups lab,plotters iris
useradd --create-home --shell /bin/bash --gid lab --home-dir /home/nostrom noah
mkdir -p /data/home
useradd --create-home --shell /bin/bash --gid lab --home-dir /data/home/tilda tilda
useradd --create-home --shell /bin/bash ines
useradd --system --create-home --home-dir /home/irisbackup --shell /usr/sbin/nologin irisbackup

cd /home/iris
chmod 750 .
echo 'export PLOT_DEVICE=iris-a0' >>.profile
mkdir -p .ssh .config/plot projects/shared 'field notes'
chmod 700 .ssh .config
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleOnly iris' >.ssh/authorized_keys
chmod 600 .ssh/authorized_keys
echo 'paper=a0' >.config/plot/settings
echo 'of iris, from the old home' >plan.txt
echo 'draft' >projects/draft.md
echo 'old figures' >projects/figures.csv
printf '#!/bin/sh\necho plotted\n' >projects/plot.sh
chmod 755 projects/plot.sh
echo 'ferns' >'field notes/May 3.txt'
chown -R iris:iris .
ln -s projects/draft.md current
ln -s /home/iris/projects/plot.sh plot
ln -s /mnt/gone dangling
chown -h iris:iris current plot dangling
chgrp -R plotters projects/shared
chmod 2770 projects/shared
echo 'result of the queue' >projects/shared/queue.out
chown irisbackup:plotters projects/shared/queue.out
chmod 640 projects/shared/queue.out
echo 'quota=5G' >.quota
chown root:root .quota
chmod 644 .quota

cd /home/nostrom
chmod 700 .
echo 'export PLOT_DEVICE=noah-a4' >>.profile
echo 'of noah' >thesis.tex
mkdir empty
chown noah:lab .profile thesis.tex empty
chmod 600 thesis.tex
chmod 711 empty

# Iris has begun by hand, and has worked on there.
mkdir -p /data/home/iris/projects
echo 'of iris, revised at the new place' >/data/home/iris/plan.txt
echo 'new figures' >/data/home/iris/projects/figures.csv
echo 'only here' >/data/home/iris/projects/extra.md
chown -R iris:iris /data/home/iris/plan.txt /data/home/iris/projects
chmod 600 /data/home/iris/plan.txt

ln -s /data/home/tilda /home/tilda
echo 'of tilda' >/data/home/tilda/index.txt
chown tilda:lab /data/home/tilda/index.txt
echo 'of ines' >/home/ines/notes.txt
chown ines:ines /home/ines/notes.txt
echo 'of the backup' >/home/irisbackup/last.log
chown irisbackup:irisbackup /home/irisbackup/last.log
